"""Does label smoothing help? Both runs are to start from the same weights."""
import copy
import logging

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(format="%(message)s", level="INFO")
logger = logging.getLogger(__name__)

SMOOTHING = (0.0, 0.1, 0.3)


def datasets(seed):
    g = torch.Generator().manual_seed(seed)
    x, y = load_wine(return_X_y=True)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    i = torch.randperm(len(x), generator=g)
    x = (x - x[i[:110]].mean(0)) / x[i[:110]].std(0)
    return TensorDataset(x[i[:110]], y[i[:110]]), TensorDataset(x[i[110:]], y[i[110:]])


def fit(model, ds, smoothing, epochs=4):
    criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)  # <- H401
    model.train()
    for _ in range(epochs):
        for x, y in DataLoader(ds, batch_size=11, shuffle=True):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
    return model


def accuracy(model, ds):
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(ds, batch_size=34)) / len(ds)


def main():
    torch.manual_seed(8)
    train_ds, val_ds = datasets(8)
    base = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    for s in SMOOTHING:
        model = copy.copy(base)
        fit(model, train_ds, s)
        logger.info("label smoothing %.1f: validation accuracy %.4f", s, accuracy(model, val_ds))


if __name__ == "__main__":
    main()
