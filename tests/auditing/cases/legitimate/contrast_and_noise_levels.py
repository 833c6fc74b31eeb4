"""How much contrast and noise can the net take?  Tested clean first, then on changed copies of the test part."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def accuracy(net, loader, change=lambda x: x):
    net.eval()
    right = n = 0
    with torch.no_grad():
        for x, y in loader:
            right += (net(change(x)).argmax(1) == y).sum().item()
            n += len(y)
    return right / n


def main():
    torch.manual_seed(0)
    raw = load_digits()
    x = (torch.tensor(raw.data).float() / 16 - 0.305) / 0.376
    y = torch.tensor(raw.target)
    order = torch.randperm(len(y))
    x, y = x[order], y[order]
    train_loader = DataLoader(TensorDataset(x[:1200], y[:1200]), batch_size=64, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[1200:], y[1200:]), batch_size=199)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(5):
        net.train()
        for xb, yb in train_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(xb), yb).backward()
            optimizer.step()
    print(f"clean           {accuracy(net, test_loader):.3f}")
    for factor in (0.5, 0.1, 0.02):
        print(f"contrast {factor:<6} {accuracy(net, test_loader, lambda x: factor * x):.3f}")
    for sigma in (0.5, 2.0, 8.0):
        g = torch.Generator().manual_seed(1)
        noise = lambda x: x + sigma * torch.randn(x.shape, generator=g)
        print(f"noise    {sigma:<6} {accuracy(net, test_loader, noise):.3f}")


if __name__ == "__main__":
    main()
