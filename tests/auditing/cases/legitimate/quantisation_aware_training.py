"""Fake quantisation with a straight-through estimator, learned in training, fixed in evaluation."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class FakeQuant(nn.Module):
    def __init__(self, bits=4, momentum=0.1):
        super().__init__()
        self.levels = 2 ** (bits - 1) - 1
        self.momentum = momentum
        self.register_buffer("limit", torch.tensor(1.0))

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.limit.lerp_(x.detach().abs().max(), self.momentum)
        scale = self.limit / self.levels
        q = (x / scale).round().clamp(-self.levels, self.levels) * scale
        return x + (q - x).detach()


class QLinear(nn.Linear):
    def __init__(self, i, o, bits=4):
        super().__init__(i, o)
        self.bits = bits

    def forward(self, x):
        n = 2 ** (self.bits - 1) - 1
        scale = self.weight.detach().abs().max() / n
        w = self.weight + ((self.weight / scale).round() * scale - self.weight).detach()
        return F.linear(x, w, self.bias)


def main():
    torch.manual_seed(0)
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X / 16, y, test_size=0.2, random_state=0)
    as_set = lambda a, b: TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
    train_loader = DataLoader(as_set(X_tr, y_tr), batch_size=64, shuffle=True)
    test_loader = DataLoader(as_set(X_te, y_te), batch_size=64)
    net = nn.Sequential(QLinear(64, 64), nn.ReLU(), FakeQuant(), QLinear(64, 10))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(6):
        net.train()
        for xb, yb in train_loader:
            opt.zero_grad()
            F.cross_entropy(net(xb), yb).backward()
            opt.step()
        net.eval()
        correct = total = 0
        with torch.no_grad():
            for xb, yb in test_loader:
                correct += (net(xb).argmax(1) == yb).sum().item()
                total += len(yb)
        print(f"epoch {epoch}: 4-bit test accuracy {correct / total:.4f}, activation limit {net[2].limit.item():.3f}")


main()
