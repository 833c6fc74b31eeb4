"""torchvision.transforms.v2: one pipeline for training, one for testing."""
import numpy as np
import torch
import torchvision
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

train_transform = v2.Compose([
    v2.ToImage(),
    v2.RandomAffine(degrees=10, translate=(0.1, 0.1)),
    v2.RandomErasing(p=0.2),
    v2.ToDtype(torch.float32, scale=True),
    v2.Normalize([0.3], [0.35]),
])
test_transform = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.3], [0.35])])


class DigitImages(Dataset):
    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images, labels, transform

    def __getitem__(self, index):
        picture = Image.fromarray((self.images[index] * 15).astype(np.uint8)).resize((16, 16))
        return self.transform(picture), int(self.labels[index])

    def __len__(self):
        return len(self.labels)


class Trainer:
    def __init__(self, model, device="cpu"):
        self.model, self.device = model.to(device), device
        self.optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
        self.scheduler = optim.lr_scheduler.MultiStepLR(self.optimizer, [3, 4], 0.2)

    def fit(self, loader, epochs, test_loader):
        for epoch in range(1, epochs + 1):
            self.model.train()
            loss_sum = correct = total = 0
            for x, y in loader:
                x, y = x.to(self.device), y.to(self.device)
                self.optimizer.zero_grad()
                out = self.model(x)
                loss = nn.functional.cross_entropy(out, y)
                loss.backward()
                self.optimizer.step()
                loss_sum += loss.item() * y.size(0)
                correct += out.argmax(1).eq(y).sum().item()
                total += y.size(0)
            self.scheduler.step()
            print(f"Epoch {epoch} train loss {loss_sum / total:.4f} train acc {correct / total:.4f} "
                  f"test acc {self.evaluate(test_loader):.4f}")

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        correct = total = 0
        for x, y in loader:
            correct += self.model(x.to(self.device)).argmax(1).eq(y.to(self.device)).sum().item()
            total += y.size(0)
        return correct / total


if __name__ == "__main__":
    torch.manual_seed(8)
    digits = load_digits()
    order = np.random.default_rng(8).permutation(1000)
    a, b = order[:800], order[800:]
    train = DigitImages(digits.images[a], digits.target[a], train_transform)
    test = DigitImages(digits.images[b], digits.target[b], test_transform)
    net = nn.Sequential(
        torchvision.ops.Conv2dNormActivation(1, 16, 3), nn.MaxPool2d(2),
        torchvision.ops.Conv2dNormActivation(16, 32, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10))
    Trainer(net).fit(DataLoader(train, 50, shuffle=True), 5, DataLoader(test, 100))
