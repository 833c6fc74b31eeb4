"""Batch size 16 or 128? Two nets, trained side by side."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(24)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
i = torch.randperm(len(y))
train_set, val_set = TensorDataset(X[i[:1200]], y[i[:1200]]), TensorDataset(X[i[1200:]], y[i[1200:]])
val_loader = DataLoader(val_set, batch_size=199)

net_small_batches = net_large_batches = nn.Sequential(  # <- H402
    nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
)


def train_epoch(net, opt, batch_size):
    net.train()
    for xb, yb in DataLoader(train_set, batch_size=batch_size, shuffle=True):
        opt.zero_grad()
        nn.functional.cross_entropy(net(xb), yb).backward()
        opt.step()


def evaluate(net):
    net.eval()
    hit = 0
    with torch.no_grad():
        for xb, yb in val_loader:
            hit += (net(xb).argmax(1) == yb).sum().item()
    return hit / len(val_set)


opt_small = torch.optim.SGD(net_small_batches.parameters(), lr=0.05)
opt_large = torch.optim.SGD(net_large_batches.parameters(), lr=0.05)
for epoch in range(4):
    train_epoch(net_small_batches, opt_small, 16)
    train_epoch(net_large_batches, opt_large, 128)
print(f"batch size  16: val acc {evaluate(net_small_batches):.4f}")
print(f"batch size 128: val acc {evaluate(net_large_batches):.4f}")
