"""Two stages by one function: the new head at a low rate, then all of it at a rate as high again, with early layers lower."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_loaders(seed):
    g = torch.Generator().manual_seed(seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x).float() / 16, torch.tensor(y)
    p = torch.randperm(len(y), generator=g)
    x, y = x[p], y[p]
    big_or_small = (y >= 5).long()
    return (
        DataLoader(TensorDataset(x[:800], big_or_small[:800]), 40, shuffle=True, generator=g),
        DataLoader(TensorDataset(x[:1300], y[:1300]), 50, shuffle=True, generator=g),
        DataLoader(TensorDataset(x[1300:], y[1300:]), 100),
    )


class Net(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 40), nn.ReLU())
        self.head = nn.Linear(40, n_classes)

    def forward(self, x):
        return self.head(self.encoder(x))


def fit(model, loader, parameters, lr, epochs):
    optimizer = torch.optim.Adam(parameters, lr=lr)
    criterion = nn.CrossEntropyLoss()
    for _ in range(epochs):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


def main():
    torch.manual_seed(2)
    source, train, val = get_loaders(2)
    model = Net(2)
    fit(model, source, model.parameters(), lr=2e-3, epochs=5)
    model.head = nn.Linear(40, 10)
    fit(model, train, model.head.parameters(), lr=1e-3, epochs=3)
    print(f"head alone: val acc {accuracy(model, val):.4f}")
    fit(model, train, model.parameters(), lr=2e-3, epochs=4)
    print(f"everything: val acc {accuracy(model, val):.4f}")


if __name__ == "__main__":
    main()
