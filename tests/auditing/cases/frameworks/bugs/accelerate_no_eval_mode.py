#!/usr/bin/env python
import numpy as np
import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from sklearn.datasets import load_breast_cancer
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(30, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.4),
            nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 2))

    def forward(self, x):
        return self.layers(x)


def evaluate(accelerator, model, dataloader):
    correct, count = 0, 0
    with torch.no_grad():
        for x, y in dataloader:
            logits = model(x)  # <- H208
            preds, refs = accelerator.gather_for_metrics((logits.argmax(-1), y))
            correct += int((preds == refs).sum())
            count += len(refs)
    return correct / count


def main():
    set_seed(77)
    X, y = load_breast_cancer(return_X_y=True)
    idx = np.random.permutation(len(y))
    tr, va = idx[:400], idx[400:]
    X = (X - X[tr].mean(0)) / X[tr].std(0)
    make = lambda i: TensorDataset(torch.tensor(X[i]).float(), torch.tensor(y[i]))
    accelerator = Accelerator(cpu=True)
    model = Net()
    model.train()
    optim = torch.optim.AdamW(model.parameters(), 1e-3)
    model, optim, train_dl, val_dl = accelerator.prepare(
        model, optim, DataLoader(make(tr), 25, shuffle=True), DataLoader(make(va), 25))
    for epoch in range(6):
        for x, y_ in train_dl:
            loss = nn.functional.cross_entropy(model(x), y_)
            optim.zero_grad()
            accelerator.backward(loss)
            optim.step()
        print(f"epoch {epoch}: val accuracy = {evaluate(accelerator, model, val_dl):.3f}")


main()
