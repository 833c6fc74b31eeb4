"""Compare a wide and a narrow net; settings come from a base dict."""
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BASE = {"model": {"hidden": 16, "dropout": 0.0}, "optim": {"lr": 1e-3}, "epochs": 5}


def variant(**changes):
    config = dict(BASE)
    config["model"].update(changes)
    return config


EXPERIMENTS = {
    "narrow": variant(hidden=2),
    "middle": variant(hidden=16, dropout=0.1),
    "wide": variant(hidden=128, dropout=0.3),
}


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def build(hidden, dropout):
    return nn.Sequential(nn.Linear(30, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 2))


def run(config, seed=42):
    seed_everything(seed)
    X, y = load_breast_cancer(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=seed)
    m, s = Xa.mean(0), Xa.std(0)
    ds = lambda a, b: TensorDataset(torch.tensor((a - m) / s).float(), torch.tensor(b))
    train_loader = DataLoader(ds(Xa, ya), batch_size=32, shuffle=True)
    val_loader = DataLoader(ds(Xb, yb), batch_size=64)
    model = build(**config["model"])
    opt = torch.optim.Adam(model.parameters(), **config["optim"])  # <- H402
    for _ in range(config["epochs"]):
        model.train()
        for x, t in train_loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(x), t).backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == t).sum().item() for x, t in val_loader) / len(yb)


for name, config in EXPERIMENTS.items():
    print(f"{name:8s} val accuracy {run(config):.4f}")
