"""Shifted copies of each test picture are averaged; the plain number stands beside it."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SHIFTS = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]


def shift(images, dy, dx):
    return torch.roll(images, shifts=(dy, dx), dims=(2, 3))


def random_shifts(images):
    choice = torch.randint(len(SHIFTS), (len(images),))
    return torch.stack([torch.roll(im, SHIFTS[c], dims=(1, 2)) for im, c in zip(images, choice.tolist())])


def get_data():
    raw = load_digits()
    images = torch.tensor(raw.images).float().unsqueeze(1) / 16
    labels = torch.tensor(raw.target)
    perm = torch.randperm(len(labels))
    a, b = perm[:1300], perm[1300:]
    return TensorDataset(images[a], labels[a]), TensorDataset(images[b], labels[b])


def main():
    torch.manual_seed(6)
    train_data, test_data = get_data()
    train_loader = DataLoader(train_data, batch_size=50, shuffle=True)
    test_loader = DataLoader(test_data, batch_size=100)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(3):
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(random_shifts(images)), labels)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}, last batch loss {loss.item():.4f}")

    model.eval()
    plain = tta = 0
    with torch.no_grad():
        for images, labels in test_loader:
            plain += (model(images).argmax(1) == labels).sum().item()
            mean = sum(model(shift(images, dy, dx)).softmax(1) for dy, dx in SHIFTS) / len(SHIFTS)
            tta += (mean.argmax(1) == labels).sum().item()
    n = len(test_data)
    print(f"test accuracy: plain {plain / n:.4f}, with test-time augmentation {tta / n:.4f}")


main()
