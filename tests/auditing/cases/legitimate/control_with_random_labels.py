"""Is there anything to learn?  The same network on the labels and, as a control, on permuted ones."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def learn(x, y, seed=0, epochs=25):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(30, 128), nn.ReLU(), nn.Linear(128, 2))
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
    for _ in range(epochs):
        net.train()
        for rows, labels in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(rows), labels).backward()
            optimiser.step()
    return net


def score(net, loader):
    net.eval()
    correct = 0
    with torch.no_grad():
        for rows, labels in loader:
            correct += (net(rows).argmax(1) == labels).sum().item()
    return correct / len(loader.dataset)


bunch = load_breast_cancer()
g = torch.Generator().manual_seed(8)
order = torch.randperm(len(bunch.target), generator=g)
x = torch.tensor(bunch.data).float()[order]
y = torch.tensor(bunch.target)[order]
x = (x - x[:369].mean(0)) / x[:369].std(0)
test_loader = DataLoader(TensorDataset(x[369:], y[369:]), batch_size=100)
permuted = y[:369][torch.randperm(369, generator=g)]
print(f"labels:          test accuracy {score(learn(x[:369], y[:369]), test_loader):.3f}")
print(f"permuted labels: test accuracy {score(learn(x[:369], permuted), test_loader):.3f}")
