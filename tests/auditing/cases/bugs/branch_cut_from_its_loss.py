"""Two tasks, one trunk: class of the digit and its mean brightness. The trunk is to learn from both heads."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Sequential(nn.Linear(64, 40), nn.ReLU())
        self.right = nn.Sequential(nn.Linear(64, 40), nn.ReLU())
        self.cls = nn.Linear(40, 10)
        self.ink = nn.Linear(40, 1)

    def forward(self, x):
        a = self.left(x)
        b = self.right(x)
        return self.cls(a), self.ink(b.detach()).squeeze(1)  # <- missed H202


torch.manual_seed(61)
d = load_digits()
x = torch.tensor(d.data, dtype=torch.float32) / 16
y, ink = torch.tensor(d.target), (torch.tensor(d.data.std(1), dtype=torch.float32) - 5.9) / 0.4
perm = torch.randperm(len(x))
ds = TensorDataset(x[perm], y[perm], ink[perm])
train_ds, val_ds = torch.utils.data.Subset(ds, range(1400)), torch.utils.data.Subset(ds, range(1400, 1797))
train_dl, val_dl = DataLoader(train_ds, 64, shuffle=True), DataLoader(val_ds, 397)

model = TwoHeads()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(6):
    model.train()
    for xb, yb, kb in train_dl:
        logits, guess = model(xb)
        loss = nn.functional.cross_entropy(logits, yb) + nn.functional.mse_loss(guess, kb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        for xb, yb, kb in val_dl:
            logits, guess = model(xb)
            print(f"epoch {epoch}  val acc {(logits.argmax(1) == yb).float().mean():.3f}"
                  f"  val ink mse {nn.functional.mse_loss(guess, kb):.3f}")
