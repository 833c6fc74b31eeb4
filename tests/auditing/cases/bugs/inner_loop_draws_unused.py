"""Semi-supervised: a labelled and an unlabelled batch a step; the consistency term should use the unlabelled one."""
import itertools

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(71)
d = load_digits()
x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
p = torch.randperm(len(x))
x, y = x[p], y[p]
labelled = DataLoader(TensorDataset(x[:200], y[:200]), batch_size=20, shuffle=True)
unlabelled = DataLoader(TensorDataset(x[200:1400]), batch_size=100, shuffle=True)
test = DataLoader(TensorDataset(x[1400:], y[1400:]), batch_size=200)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)


def noisy(t):
    return t + 0.1 * torch.randn_like(t)


for epoch in range(6):
    model.train()
    for (u,), (xb, yb) in zip(unlabelled, itertools.cycle(labelled)):  # <- H105
        supervised = nn.functional.cross_entropy(model(xb), yb)
        p1 = model(noisy(xb)).softmax(1)
        p2 = model(noisy(xb)).softmax(1)
        consistency = ((p1 - p2.detach()) ** 2).sum(1).mean()
        loss = supervised + 2.0 * consistency
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        hits = sum((model(a).argmax(1) == b).sum().item() for a, b in test)
    print(f"epoch {epoch}: loss {loss.item():.4f} (consistency {consistency.item():.5f}) test accuracy {hits / 397:.3f}")
