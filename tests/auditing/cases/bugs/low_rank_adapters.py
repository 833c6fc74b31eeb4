"""Low-rank adapters around the linear layers of a frozen net."""
import math

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, rank: int = 4, alpha: float = 8.0):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad_(False)
        self.a = nn.Parameter(torch.empty(rank, base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))
        self.scale = alpha / rank

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.a.T) @ self.b.T


def build():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def epoch(model, dl, opt):
    model.train()
    for x, y in dl:
        loss = nn.functional.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss.item()


def accuracy(model, dl):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(x).argmax(1).eq(y) for x, y in dl]).float().mean().item()


def main():
    torch.manual_seed(6)
    d = load_digits()
    x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
    flipped = x.view(-1, 8, 8).flip(2).flatten(1)
    base_dl = DataLoader(TensorDataset(x[:1200], y[:1200]), 64, shuffle=True)
    tune_dl = DataLoader(TensorDataset(flipped[:600], y[:600]), 64, shuffle=True)
    test_dl = DataLoader(TensorDataset(flipped[1200:], y[1200:]), 256)

    model = build()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(4):
        epoch(model, base_dl, opt)
    print(f"before: mirrored test accuracy {accuracy(model, test_dl):.3f}")

    # adapt the two hidden layers, train the head as well
    opt = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=2e-3)  # <- H202
    for i in (0, 2):
        model[i] = LoRALinear(model[i])
    for e in range(5):
        loss = epoch(model, tune_dl, opt)
        print(f"adapter epoch {e}: loss {loss:.3f} mirrored test accuracy {accuracy(model, test_dl):.3f}")


main()
