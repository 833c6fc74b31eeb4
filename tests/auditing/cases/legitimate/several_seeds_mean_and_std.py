import statistics

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x).float() / 16, torch.tensor(y)
fixed = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
train = TensorDataset(x[fixed[:1200]], y[fixed[:1200]])
test = TensorDataset(x[fixed[1200:]], y[fixed[1200:]])


def run(seed, hidden):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, 10))
    opt = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(4):
        net.train()
        for xb, yb in DataLoader(train, 60, shuffle=True):
            opt.zero_grad()
            nn.functional.cross_entropy(net(xb), yb).backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        ok = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in DataLoader(test, 256))
    return ok / len(test)


for hidden in (16, 64):
    accs = [run(s, hidden) for s in range(4)]
    print(f"hidden {hidden:3d}: test acc {statistics.mean(accs):.4f} +- {statistics.stdev(accs):.4f}  ({', '.join(f'{a:.4f}' for a in accs)})")
