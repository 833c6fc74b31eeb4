"""Iris, with a last validation batch of a few flowers."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
X, y = load_iris(return_X_y=True)
X, y = torch.tensor(X).float(), torch.tensor(y)
p = torch.randperm(150)
train_ds = TensorDataset(X[p[:84]], y[p[:84]])
val_ds = TensorDataset(X[p[84:]], y[p[84:]])
train_dl = DataLoader(train_ds, batch_size=12, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=32)


def accuracy(out, yb):
    return (torch.argmax(out, dim=1) == yb).float().mean()


def fit(epochs, model, opt):
    for epoch in range(epochs):
        model.train()
        for xb, yb in train_dl:
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
            opt.zero_grad()
        model.eval()
        with torch.no_grad():
            accs = [accuracy(model(xb), yb).item() for xb, yb in val_dl]
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:3d} valid accuracy {np.mean(accs):.4f}")  # <- H304


model = torch.nn.Sequential(torch.nn.Linear(4, 12), torch.nn.ReLU(), torch.nn.Linear(12, 3))
fit(20, model, torch.optim.SGD(model.parameters(), lr=0.03))
