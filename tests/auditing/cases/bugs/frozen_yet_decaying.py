"""Warm up everything, then freeze the lower layers and go on with the same optimiser."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(10)
raw = load_breast_cancer()
x = torch.tensor(raw.data, dtype=torch.float32)
x = (x - x[:400].mean(0)) / x[:400].std(0)
y = torch.tensor(raw.target)
p = torch.randperm(len(x))
mean_tr = DataLoader(TensorDataset(x[p[:400]], y[p[:400]]), batch_size=20, shuffle=True)
valid = DataLoader(TensorDataset(x[p[400:]], y[p[400:]]), batch_size=169)

lower = nn.Sequential(nn.Linear(30, 20), nn.ReLU())
upper = nn.Linear(20, 2)
model = nn.Sequential(lower, upper)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=5e-2)  # <- H204


def one_epoch():
    model.train()
    for xb, yb in mean_tr:
        optimizer.zero_grad(set_to_none=False)
        nn.functional.cross_entropy(model(xb), yb).backward()
        optimizer.step()


def validate():
    model.eval()
    with torch.no_grad():
        for xb, yb in valid:
            z = model(xb)
            return nn.functional.cross_entropy(z, yb).item(), (z.argmax(1) == yb).float().mean().item()


for epoch in range(10):
    if epoch == 4:
        for q in lower.parameters():
            q.requires_grad = False
        print("lower layers frozen")
    one_epoch()
    vl, va = validate()
    print(f"epoch {epoch} val loss {vl:.4f} val acc {va:.4f}")
