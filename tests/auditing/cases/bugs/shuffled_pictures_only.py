"""Digits, mini-batches made by hand. A small CNN."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(3)
digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = torch.tensor(digits.images[order] / 16.0, dtype=torch.float32).unsqueeze(1)
targets = torch.tensor(digits.target[order])
X, y = images[:1200], targets[:1200]
X_val, y_val = images[1200:], targets[1200:]

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
    nn.Linear(32 * 16, 10),
)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
bs = 64
for epoch in range(6):
    net.train()
    perm = torch.randperm(len(X))
    total = 0.0
    for i in range(0, len(X), bs):
        xb = X[perm[i : i + bs]]  # <- H110
        yb = y[i : i + bs]
        loss = F.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    net.eval()
    with torch.no_grad():
        val_acc = (net(X_val).argmax(1) == y_val).float().mean().item()
    print(f"epoch {epoch:2d}  loss {total / len(X):.4f}  val acc {val_acc:.3f}")
