import copy
import math

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split


def find_lr(model, loader, criterion, optimizer, start=1e-4, end=1.0):
    saved_model = copy.deepcopy(model.state_dict())
    saved_optimizer = copy.deepcopy(optimizer.state_dict())
    factor = (end / start) ** (1 / (len(loader) - 1))
    lr, best, smooth, rows = start, math.inf, 0.0, []
    model.train()
    for k, (x, y) in enumerate(loader, 1):
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        smooth = 0.9 * smooth + 0.1 * loss.item()
        corrected = smooth / (1 - 0.9 ** k)
        if k > 1 and corrected > 4 * best:
            break
        best = min(best, corrected)
        rows.append((lr, corrected))
        loss.backward()
        optimizer.step()
        lr *= factor
    model.load_state_dict(saved_model)
    optimizer.load_state_dict(saved_optimizer)
    lowest = min(rows, key=lambda row: row[1])[0]
    return lowest / 10


def main():
    torch.manual_seed(33)
    x, y = load_digits(return_X_y=True)
    ds = TensorDataset(torch.tensor(x, dtype=torch.float32) / 16, torch.tensor(y))
    train_ds, val_ds, test_ds = random_split(ds, [1200, 297, 300])
    train_loader = DataLoader(train_ds, batch_size=24, shuffle=True)
    val_loader = DataLoader(val_ds, batch_size=100)
    test_loader = DataLoader(test_ds, batch_size=100)

    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    lr = find_lr(model, train_loader, criterion, optimizer)
    print(f"suggested learning rate: {lr:.4f}")
    for group in optimizer.param_groups:
        group["lr"] = lr

    def accuracy(loader):
        model.eval()
        good = 0
        for x, y in loader:
            with torch.no_grad():
                good += (model(x).argmax(1) == y).sum().item()
        return good / len(loader.dataset)

    for epoch in range(5):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "val accuracy", round(accuracy(val_loader), 4))
    print("test accuracy", round(accuracy(test_loader), 4))


main()
