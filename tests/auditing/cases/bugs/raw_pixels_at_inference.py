# textures: learn from loaders, then label a folder of new 8-bit pictures
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(11)
torch.manual_seed(11)


def pictures(n):
    kind = rng.integers(0, 3, n)
    grid = np.indices((12, 12)).sum(0)
    base = np.stack([np.tile(np.arange(12), (12, 1)) % 4 < 2, np.tile(np.arange(12), (12, 1)).T % 4 < 2, grid % 4 < 2])
    raw = 90 + 80 * base[kind] + rng.normal(0, 30, (n, 12, 12))
    return raw.clip(0, 255).astype(np.uint8), kind


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 5)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


def as_set(raw, kind):
    return TensorDataset(torch.from_numpy(raw).float().unsqueeze(1) / 255.0, torch.from_numpy(kind))


train_iter = DataLoader(as_set(*pictures(600)), batch_size=30, shuffle=True)
valid_iter = DataLoader(as_set(*pictures(200)), batch_size=50)
net = Net()
opt = torch.optim.Adam(net.parameters(), 0.02)
best = 0.0
for ep in range(8):
    net.train()
    for x, y in train_iter:
        opt.zero_grad()
        l = nn.functional.cross_entropy(net(x), y)
        l.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(x).argmax(1) == y).sum().item() for x, y in valid_iter) / 200
    best = max(best, acc)
    print("ep", ep, "valid acc", round(acc, 3))

new_raw, _ = pictures(90)
with torch.no_grad():
    answers = net(torch.from_numpy(new_raw).float().unsqueeze(1)).argmax(1)  # <- H112
print("new pictures:", {k: int((answers == i).sum()) for i, k in enumerate(["upright", "level", "slanted"])})
