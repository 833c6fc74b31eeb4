"""Two optimisers; the best epoch of each run is saved, then tested."""
import os
import tempfile

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

out_dir = tempfile.mkdtemp()
torch.manual_seed(30)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
order = torch.randperm(len(y))
parts = {"train": order[:1000], "val": order[1000:1400], "test": order[1400:]}
dl = {k: DataLoader(TensorDataset(X[i], y[i]), batch_size=50, shuffle=k == "train") for k, i in parts.items()}


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        return sum((model(a).argmax(1) == b).sum().item() for a, b in loader) / len(loader.dataset)


def train(name, model, optimizer, epochs=4):
    best = -1.0
    for epoch in range(epochs):
        model.train()
        for a, b in dl["train"]:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(a), b).backward()
            optimizer.step()
        val = accuracy(model, dl["val"])
        if val > best:
            best = val
            torch.save(model.state_dict(), os.path.join(out_dir, "best_model.pt"))
    print(f"{name}: best val acc {best:.4f}")
    return model


def fresh():
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


a = fresh()
a = train("adam", a, torch.optim.Adam(a.parameters(), lr=3e-3))
b = fresh()
b = train("sgd", b, torch.optim.SGD(b.parameters(), lr=0.02))

for name, model in (("adam", a), ("sgd", b)):
    model.load_state_dict(torch.load(os.path.join(out_dir, "best_model.pt")))  # <- H404
    print(f"{name}: test acc of its best epoch {accuracy(model, dl['test']):.4f}")
