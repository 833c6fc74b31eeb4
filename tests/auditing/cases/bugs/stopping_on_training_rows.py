"""Early stopping with patience."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class EarlyStopping:
    def __init__(self, patience=3):
        self.patience, self.best, self.count, self.state = patience, np.inf, 0, None

    def __call__(self, loss, model):
        if loss < self.best:
            self.best, self.count = loss, 0
            self.state = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.count += 1
        return self.count >= self.patience


def batches(X, y, size, rng):
    order = rng.permutation(len(X))
    for start in range(0, len(X), size):
        sel = order[start : start + size]
        yield torch.from_numpy(X[sel]), torch.from_numpy(y[sel])


rng = np.random.default_rng(5)
torch.manual_seed(5)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_rest, y_train, y_rest = train_test_split(X, y, test_size=0.4, random_state=5)
X_val, X_test, y_val, y_test = train_test_split(X_train, y_train, test_size=0.5, random_state=6)

net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
ce = nn.CrossEntropyLoss()
stopper = EarlyStopping()
for epoch in range(8):
    net.train()
    for xb, yb in batches(X_train, y_train, 64, rng):
        optimizer.zero_grad()
        ce(net(xb), yb).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        val_loss = ce(net(torch.from_numpy(X_val)), torch.from_numpy(y_val)).item()  # <- H101
    print(f"epoch {epoch} val_loss {val_loss:.4f}")
    if stopper(val_loss, net):
        break
net.load_state_dict(stopper.state)
net.eval()
with torch.no_grad():
    scores = net(torch.from_numpy(X_test))  # also H101
print("test accuracy", (scores.argmax(1).numpy() == y_test).mean().round(4))
