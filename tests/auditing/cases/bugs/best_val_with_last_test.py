"""Two spirals; keep the best checkpoint on validation, report it on test."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(12)


def spirals(n):
    t = torch.rand(n) * 3 * math.pi + 0.5
    k = torch.randint(0, 2, (n,))
    ang = t + k * math.pi
    pts = torch.stack([t * torch.cos(ang), t * torch.sin(ang)], 1) / 6
    return TensorDataset(pts + 0.08 * torch.randn(n, 2), k)


train_set, val_set, test_set = random_split(spirals(1200), [600, 300, 300])
train_loader = DataLoader(train_set, 60, shuffle=True)
val_loader, test_loader = DataLoader(val_set, 100), DataLoader(test_set, 100)


def acc(model, loader):
    model.eval()
    hit = tot = 0
    with torch.no_grad():
        for x, y in loader:
            hit += (model(x).argmax(1) == y).sum().item()
            tot += len(y)
    return hit / tot


model = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
opt = torch.optim.Adam(model.parameters(), lr=0.02)
best_val, best_state = 0.0, None
for epoch in range(15):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
    val = acc(model, val_loader)
    if val > best_val:
        best_val = val
        best_state = {k: v.clone() for k, v in model.state_dict().items()}
    print(f"epoch {epoch}: val acc {val:.3f}")

test = acc(model, test_loader)
print(f"best model: val acc {best_val:.3f}, test acc {test:.3f}")  # <- missed H306
