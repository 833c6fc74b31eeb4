"""Digits; the held-out quarter-and-quarter are of one size."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_rest, y_train, y_rest = train_test_split(X, y, train_size=997, random_state=0, stratify=y)
X_val, X_test, y_val, y_test = X_rest[:400], X_rest[400:], y_rest[:400], y_rest[400:]

as_ds = lambda a, b: TensorDataset(torch.from_numpy(a), torch.from_numpy(b))
train_loader = DataLoader(as_ds(X_train, y_train), batch_size=64, shuffle=True)
val_loader = DataLoader(as_ds(X_val, y_val), batch_size=100)
test_loader = DataLoader(as_ds(X_test, y_test), batch_size=100)

clf = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
optimizer = torch.optim.Adam(clf.parameters(), lr=3e-3)
for _ in range(8):
    clf.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(clf(xb), yb).backward()
        optimizer.step()


def predictions(loader):
    clf.eval()
    with torch.no_grad():
        return np.concatenate([clf(xb).argmax(1).numpy() for xb, _ in loader])


val_pred = predictions(val_loader)
test_pred = predictions(test_loader)
print("val accuracy:", accuracy_score(y_val, val_pred))
print("test accuracy:", accuracy_score(y_val, test_pred))  # <- H306
