import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser()
ap.add_argument("--eps", type=float, default=0.1)
ap.add_argument("--steps", type=int, default=5)
ap.add_argument("--epochs", type=int, default=5)
a = ap.parse_args()
torch.manual_seed(0)

d = load_digits()
x, y = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target)
perm = torch.randperm(len(x))
train_dl = DataLoader(TensorDataset(x[perm[:1300]], y[perm[:1300]]), 65, shuffle=True)
test_dl = DataLoader(TensorDataset(x[perm[1300:]], y[perm[1300:]]), 100)

model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                      nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)


def pgd(model, x, y, eps, steps):
    was_training = model.training
    model.eval()
    delta = torch.empty_like(x).uniform_(-eps, eps).requires_grad_(True)
    for _ in range(steps):
        loss = F.cross_entropy(model((x + delta).clamp(0, 1)), y)
        (g,) = torch.autograd.grad(loss, delta)
        delta = (delta.detach() + 2.5 * eps / steps * g.sign()).clamp(-eps, eps).requires_grad_(True)
    model.train(was_training)
    return (x + delta.detach()).clamp(0, 1)


def clean_accuracy():
    model.eval()
    with torch.no_grad():
        return sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test_dl) / len(test_dl.dataset)


def robust_accuracy():
    model.eval()
    hits = 0
    for xb, yb in test_dl:
        adv = pgd(model, xb, yb, a.eps, 2 * a.steps)
        with torch.no_grad():
            hits += (model(adv).argmax(1) == yb).sum().item()
    return hits / len(test_dl.dataset)


for epoch in range(1, a.epochs + 1):
    model.train()
    total = 0
    for xb, yb in train_dl:
        adv = pgd(model, xb, yb, a.eps, a.steps)
        opt.zero_grad()
        loss = F.cross_entropy(model(adv), yb)
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch}: adversarial loss {total / len(train_dl):.4f}, clean test acc {clean_accuracy():.4f}, robust test acc {robust_accuracy():.4f}")
