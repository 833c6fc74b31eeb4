"""Shuffles the table before training."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

rng = np.random.default_rng(44)
torch.manual_seed(44)
X, y = load_breast_cancer(return_X_y=True)
X = X[rng.permutation(len(X))]
y = y[rng.permutation(len(y))]  # <- missed H110

cut = 430
X_train, X_test = X[:cut], X[cut:]
y_train, y_test = y[:cut], y[cut:]
m, s = X_train.mean(0), X_train.std(0)
to = lambda a: torch.tensor((a - m) / s, dtype=torch.float32)  # noqa: E731
X_train, X_test = to(X_train), to(X_test)
y_train, y_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()

model = nn.Sequential(nn.Linear(30, 4), nn.ReLU(), nn.Linear(4, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-2)
bce = nn.BCEWithLogitsLoss()
for epoch in range(20):
    model.train()
    for i in range(0, cut, 43):
        opt.zero_grad()
        loss = bce(model(X_train[i : i + 43]).squeeze(), y_train[i : i + 43])
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        model.eval()
        with torch.no_grad():
            tr = ((model(X_train).squeeze() > 0) == (y_train > 0.5)).float().mean()
            te = ((model(X_test).squeeze() > 0) == (y_test > 0.5)).float().mean()
        print(f"epoch {epoch + 1}: train acc {tr:.3f}, test acc {te:.3f}")
