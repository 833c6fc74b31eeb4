import math
import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.utils.data import DataLoader

np.random.seed(0)
torch.manual_seed(0)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = torch.tanh(s)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.squeeze(1)

    def inverse(self, z):
        a, b = z.chunk(2, 1)
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = torch.tanh(s)
        b = (b - t) * (-s).exp()
        return torch.cat([b, a] if self.flip else [a, b], 1)


class RealNVP(nn.Module):
    def __init__(self, n=6):
        super().__init__()
        self.layers = nn.ModuleList(Coupling(i % 2 == 1) for i in range(n))

    def log_prob(self, x):
        logdet = torch.zeros(len(x))
        for layer in self.layers:
            x, ld = layer(x)
            logdet = logdet + ld
        return -0.5 * (x ** 2).sum(1) - math.log(2 * math.pi) + logdet

    @torch.no_grad()
    def sample(self, n):
        z = torch.randn(n, 2)
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z


points = torch.tensor(make_moons(2000, noise=0.08)[0], dtype=torch.float32)
train_dl = DataLoader(points[:1600], batch_size=200, shuffle=True)
val_dl = DataLoader(points[1600:], batch_size=200)
flow = RealNVP()
optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3)
for epoch in range(10):
    flow.train()
    train_nll, n = 0, 0
    for x in train_dl:
        loss = -flow.log_prob(x).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        train_nll += loss.item() * len(x)
        n += len(x)
    flow.eval()
    with torch.no_grad():
        val_nll = -torch.cat([flow.log_prob(x) for x in val_dl]).mean().item()
    print(f"epoch {epoch} train nll {train_nll / n:.3f} val nll {val_nll:.3f}")
print("sampled mean", flow.sample(500).mean(0).numpy().round(2))
