"""Digits with mixup: each batch is mixed with a permuted copy of itself, and so is its loss."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ALPHA = 0.3


def mix(x, y, rng):
    lam = rng.beta(ALPHA, ALPHA)
    perm = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[perm], y, y[perm], lam


def train(net, loader, optimizer, rng):
    net.train()
    for x, y in loader:
        mixed, y_a, y_b, lam = mix(x, y, rng)
        out = net(mixed)
        loss = lam * F.cross_entropy(out, y_a) + (1 - lam) * F.cross_entropy(out, y_b)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def test(net, loader):
    net.eval()
    correct, count = 0, 0
    for x, y in loader:
        correct += (net(x).argmax(1) == y).sum().item()
        count += len(y)
    return correct / count


torch.manual_seed(0)
rng = np.random.default_rng(0)
digits = load_digits()
pixels, target = torch.tensor(digits.data / 16).float(), torch.tensor(digits.target)
order = torch.randperm(len(target))
pixels, target = pixels[order], target[order]
train_loader = DataLoader(TensorDataset(pixels[:1300], target[:1300]), batch_size=65, shuffle=True)
test_loader = DataLoader(TensorDataset(pixels[1300:], target[1300:]), batch_size=100)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    train(net, train_loader, optimizer, rng)
    print(f"epoch {epoch} test acc {test(net, test_loader):.4f}")
