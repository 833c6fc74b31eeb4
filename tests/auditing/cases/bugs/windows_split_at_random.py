"""Forecasting: windows of 24 hours, split at random."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(50)
rng = np.random.default_rng(50)
walk = np.cumsum(rng.normal(0, 0.3, 1500))
hours = np.arange(1500)
load = np.sin(2 * np.pi * hours / 24) + 0.05 * walk + rng.normal(0, 0.1, 1500)

W, H = 24, 6
windows = np.lib.stride_tricks.sliding_window_view(load, W + H)
x = torch.tensor(windows[:, :W].copy(), dtype=torch.float32)
y = torch.tensor(windows[:, W:].copy(), dtype=torch.float32)
train_set, test_set = random_split(TensorDataset(x, y), [0.8, 0.2])
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=128)

model = nn.Sequential(nn.Linear(W, 64), nn.ReLU(), nn.Linear(64, H))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(10):
    model.train()
    for a, b in train_loader:
        opt.zero_grad()
        nn.functional.l1_loss(model(a), b).backward()
        opt.step()
    model.eval()
    err = n = 0.0
    with torch.no_grad():
        for a, b in test_loader:  # <- missed H102
            err += (model(a) - b).abs().sum().item()
            n += b.numel()
    if epoch % 3 == 0:
        print(f"epoch {epoch}: test MAE {err / n:.4f}")
