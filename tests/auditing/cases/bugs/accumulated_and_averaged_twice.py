"""Gradient accumulation in an autoencoder."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader

ACCUM_STEPS = 5
torch.manual_seed(40)
x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
train_loader = DataLoader(x[:1500], batch_size=20, shuffle=True)
val_loader = DataLoader(x[1500:], batch_size=99)


class AE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 32), nn.SiLU(), nn.Linear(32, 8))
        self.dec = nn.Sequential(nn.Linear(8, 32), nn.SiLU(), nn.Linear(32, 64))

    def forward(self, x):
        return self.dec(self.enc(x))

    def loss(self, x):
        return nn.functional.mse_loss(self(x), x) / ACCUM_STEPS


model = AE()
optimizer = torch.optim.SGD(model.parameters(), lr=2.0, momentum=0.9)
for epoch in range(5):
    model.train()
    optimizer.zero_grad()
    for step, batch in enumerate(train_loader, start=1):
        loss = model.loss(batch) / ACCUM_STEPS
        loss.backward()  # <- H211
        if step % ACCUM_STEPS == 0:
            optimizer.step()
            optimizer.zero_grad()
    model.eval()
    with torch.no_grad():
        se = sum(((model(b) - b) ** 2).sum().item() for b in val_loader)
    print(f"epoch {epoch} val mse {se / x[1500:].numel():.5f}")
