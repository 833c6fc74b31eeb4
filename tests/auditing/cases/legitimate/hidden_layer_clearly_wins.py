"""Rings: a linear model against one with a hidden layer, on the same 600 test points."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def rings(n, seed):
    g = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 2, (n,), generator=g)
    radius = 1.0 + label + 0.25 * torch.randn(n, generator=g)
    angle = 6.2832 * torch.rand(n, generator=g)
    return TensorDataset(torch.stack([radius * angle.cos(), radius * angle.sin()], 1), label)


def train(model, data, epochs=12):
    opt = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(epochs):
        for points, label in DataLoader(data, batch_size=40, shuffle=True):
            opt.zero_grad()
            nn.functional.cross_entropy(model(points), label).backward()
            opt.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, loader):
    return sum((model(points).argmax(1) == label).sum().item() for points, label in loader) / len(loader.dataset)


torch.manual_seed(0)
train_set, test_loader = rings(600, 1), DataLoader(rings(600, 2), batch_size=200)
linear = accuracy(train(nn.Linear(2, 2), train_set), test_loader)
hidden = accuracy(train(nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2)), train_set), test_loader)
print(f"linear {100 * linear:.1f} %, hidden layer {100 * hidden:.1f} %")
print(f"the hidden layer beats the linear model by {100 * (hidden - linear):.1f} points")
