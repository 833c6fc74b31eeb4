import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.checkpoint import checkpoint, checkpoint_sequential
from torch.utils.data import DataLoader, TensorDataset, random_split


class ResBlock(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.f = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.GELU(), nn.Dropout(0.1), nn.Linear(d, d))

    def forward(self, x):
        return x + self.f(x)


class Deep(nn.Module):
    def __init__(self, d=64, depth=6):
        super().__init__()
        self.inp = nn.Linear(64, d)
        self.blocks = nn.ModuleList(ResBlock(d) for _ in range(depth))
        self.tail = nn.Sequential(*(ResBlock(d) for _ in range(2)))
        self.head = nn.Linear(d, 10)

    def forward(self, x):
        x = self.inp(x)
        for b in self.blocks:
            x = checkpoint(b, x, use_reentrant=False) if self.training else b(x)
        x = checkpoint_sequential(self.tail, 2, x, use_reentrant=False) if self.training else self.tail(x)
        return self.head(x)


torch.manual_seed(33)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target))
train_ds, val_ds = random_split(ds, (0.8, 0.2), generator=torch.Generator().manual_seed(33))
train_dl, val_dl = DataLoader(train_ds, 96, shuffle=True), DataLoader(val_ds, 96)
model = Deep()
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)

for epoch in range(3):
    model.train()
    for xb, yb in train_dl:
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        opt.zero_grad()
    model.eval()
    n_ok, n_all, vloss = 0, 0, 0.0
    with torch.no_grad():
        for xb, yb in val_dl:
            out = model(xb)
            vloss += F.cross_entropy(out, yb, reduction="sum").item()
            n_ok += (out.argmax(1) == yb).sum().item()
            n_all += len(yb)
    print(f"epoch {epoch + 1} train loss (last batch) {loss.item():.3f} val loss {vloss / n_all:.3f} val acc {n_ok / n_all:.2%}")
