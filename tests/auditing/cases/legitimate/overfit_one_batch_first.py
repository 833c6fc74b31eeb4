import copy

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)


def get_model():
    return nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))


def sanity_check(model, loader, steps=60):
    """A right model can learn one batch by heart. Works on a copy."""
    probe = copy.deepcopy(model)
    probe.train()
    opt = torch.optim.Adam(probe.parameters(), lr=1e-2)
    xb, yb = next(iter(loader))
    for _ in range(steps):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(probe(xb), yb)
        loss.backward()
        opt.step()
    acc = (probe(xb).argmax(1) == yb).float().mean().item()
    print(f"[sanity] one batch: loss {loss.item():.4f}, training accuracy on it {acc:.3f}")
    assert acc > 0.95


X, y = load_digits(return_X_y=True)
dataset = TensorDataset(torch.tensor(X).float() / 16, torch.tensor(y))
train_ds, val_ds = random_split(dataset, [1500, 297], torch.Generator().manual_seed(1))
train_loader = DataLoader(train_ds, batch_size=50, shuffle=True)
val_loader = DataLoader(val_ds, batch_size=99)

model = get_model()
print("initial loss should be near ln(10)=2.303:", end=" ")
with torch.no_grad():
    xb, yb = next(iter(train_loader))
    print(f"{nn.functional.cross_entropy(model(xb), yb).item():.3f}")
sanity_check(model, train_loader)

optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(5):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for xb, yb in val_loader:
            correct += (model(xb).argmax(1) == yb).sum().item()
    print(f"epoch {epoch + 1} val acc {correct / len(val_ds):.4f}")
