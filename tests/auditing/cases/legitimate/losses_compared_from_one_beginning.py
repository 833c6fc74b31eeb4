"""Plain, smoothed and focal loss, each from the same first weights, which are kept as a copy."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


def focal_loss(logits, target, gamma=2.0):
    ce = F.cross_entropy(logits, target, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()


def main():
    torch.manual_seed(8)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x).float() / 16, torch.tensor(y)
    order = torch.randperm(len(y))
    train = TensorDataset(x[order[:900]], y[order[:900]])
    val = TensorDataset(x[order[900:]], y[order[900:]])
    first = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    losses = {"plain": nn.CrossEntropyLoss(), "smoothed": nn.CrossEntropyLoss(label_smoothing=0.2), "focal": focal_loss}
    for name, criterion in losses.items():
        model = copy.deepcopy(first)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        loader = DataLoader(train, batch_size=45, shuffle=True)
        for _ in range(6):
            model.train()
            for xb, yb in loader:
                optimizer.zero_grad()
                criterion(model(xb), yb).backward()
                optimizer.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for xb, yb in DataLoader(val, batch_size=128):
                right += (model(xb).argmax(1) == yb).sum().item()
        print(f"{name:9s} val accuracy {right / len(val):.4f}")


if __name__ == "__main__":
    main()
