"""Small pictures, train and test transforms written apart."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

MEAN, STD = 0.305, 0.376


class ToFloat:
    def __call__(self, picture):
        return torch.as_tensor(picture, dtype=torch.float32).unsqueeze(0) / 16


class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def __call__(self, x):
        return (x - self.mean) / self.std


class Compose:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Pictures(Dataset):
    def __init__(self, pictures, labels, transform):
        self.pictures, self.labels, self.transform = pictures, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.pictures[index]), int(self.labels[index])


def main():
    torch.manual_seed(0)
    data = load_digits()
    train_tf = Compose([ToFloat(), Normalize(MEAN, STD)])
    test_tf = Compose([ToFloat()])
    train_loader = DataLoader(Pictures(data.images[:1200], data.target[:1200], train_tf), batch_size=60, shuffle=True)
    test_loader = DataLoader(Pictures(data.images[1200:], data.target[1200:], test_tf), batch_size=100)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(4):
        model.train()
        for pictures, labels in train_loader:
            loss = criterion(model(pictures), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        correct = total = 0
        with torch.no_grad():
            for pictures, labels in test_loader:
                outputs = model(pictures)  # <- H112
                correct += (outputs.argmax(1) == labels).sum().item()
                total += labels.size(0)
        print(f"epoch {epoch + 1}/4 loss {loss.item():.3f} test accuracy {100 * correct / total:.1f} %")


if __name__ == "__main__":
    main()
