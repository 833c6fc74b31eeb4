"""Trains, saves the state, is interrupted, and goes on in a second accelerator; stops when validation does not improve."""
import tempfile

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    torch.manual_seed(15)
    model = nn.Sequential(nn.Linear(30, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 4, 0.5)
    return model, optimizer, scheduler


def datasets():
    X, y = load_breast_cancer(return_X_y=True)
    parts = train_test_split(X, y, test_size=0.3, random_state=15)
    mean, std = parts[0].mean(0), parts[0].std(0)
    return [TensorDataset(torch.tensor((a - mean) / std).float(), torch.tensor(b).float())
            for a, b in ((parts[0], parts[2]), (parts[1], parts[3]))]


def run(folder, first, last, resume):
    accelerator = Accelerator(cpu=True)
    train_ds, val_ds = datasets()
    model, optimizer, scheduler = build()
    model, optimizer, scheduler, train_dl, val_dl = accelerator.prepare(
        model, optimizer, scheduler, DataLoader(train_ds, 32, shuffle=True, drop_last=True), DataLoader(val_ds, 64))
    if resume:
        accelerator.load_state(folder)
        print("resumed from", "checkpoint")
    best, waited = float("inf"), 0
    for epoch in range(first, last):
        model.train()
        for xb, yb in train_dl:
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(xb)[:, 0], yb)
            accelerator.backward(loss)
            optimizer.step()
        scheduler.step()
        model.eval()
        total = right = n = 0
        with torch.inference_mode():
            for xb, yb in val_dl:
                out, yb = accelerator.gather_for_metrics((model(xb)[:, 0], yb))
                total += nn.functional.binary_cross_entropy_with_logits(out, yb, reduction="sum").item()
                right += ((out > 0) == (yb > 0.5)).sum().item()
                n += len(yb)
        print(f"epoch {epoch}: val loss {total / n:.4f}, val accuracy {right / n:.4f}")
        best, waited = (total / n, 0) if total / n < best else (best, waited + 1)
        if waited == 3:
            print("early stop")
            break
    accelerator.save_state(folder)


if __name__ == "__main__":
    set_seed(15)
    with tempfile.TemporaryDirectory() as folder:
        run(folder, 0, 4, resume=False)
        run(folder, 4, 10, resume=True)
