import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(0)


def build_loaders(batch_size):
    d = load_digits()
    images = torch.from_numpy(d.images).float().unsqueeze(1).div(16)
    labels = torch.from_numpy(d.target).long()
    perm = torch.randperm(len(labels))
    train, test = perm[:1500], perm[1500:]
    return (DataLoader(TensorDataset(images[train], labels[train]), batch_size, shuffle=True),
            DataLoader(TensorDataset(images[test], labels[test]), batch_size))


class VGGish(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(24 * 4, 10))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def test(model, loader):
    model.eval
    correct = 0
    with torch.no_grad():
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            pred = model(data).argmax(dim=1, keepdim=True)  # <- H208
            correct += pred.eq(target.view_as(pred)).sum().item()
    print("Test set: Accuracy: {}/{} ({:.1f}%)".format(correct, len(loader.dataset), 100.0 * correct / len(loader.dataset)))


def train(model, loader, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(data), target)
        loss.backward()
        optimizer.step()
        if batch_idx % 10 == 0:
            print("Train Epoch: {} [{}/{}] Loss: {:.4f}".format(epoch, batch_idx, len(loader), loss.item()))


train_loader, test_loader = build_loaders(64)
model = VGGish().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(1, 4):
    train(model, train_loader, optimizer, epoch)
    test(model, test_loader)
