import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_blobs
from torch.utils.data import DataLoader, TensorDataset

# JEM: the logits of a classifier are an energy as well; negatives by Langevin from a buffer
torch.manual_seed(0)
X, y = make_blobs(1500, centers=4, cluster_std=0.7, random_state=1)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
X = (X - X[:1200].mean(0)) / X[:1200].std(0)
train = DataLoader(TensorDataset(X[:1200], y[:1200]), batch_size=100, shuffle=True)
test = DataLoader(TensorDataset(X[1200:], y[1200:]), batch_size=100)
net = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 4))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
buffer = torch.rand(1000, 2) * 4 - 2


def negatives(n, steps=10):
    idx = torch.randint(0, len(buffer), (n,))
    x = buffer[idx].clone()
    x[torch.rand(n) < 0.05] = torch.rand(1, 2) * 4 - 2
    x.requires_grad_(True)
    for _ in range(steps):
        (g,) = torch.autograd.grad(net(x).logsumexp(1).sum(), x)
        x = (x.detach() + 0.05 * g + 0.05 * torch.randn_like(x)).clamp(-3, 3).requires_grad_(True)
    buffer[idx] = x.detach()
    return x.detach()


for epoch in range(6):
    net.train()
    for xb, yb in train:
        fake = negatives(len(xb))
        logits = net(xb)
        nll = F.cross_entropy(logits, yb)
        e_pos, e_neg = logits.logsumexp(1).mean(), net(fake).logsumexp(1).mean()
        loss = nll - 0.1 * (e_pos - e_neg) + 0.01 * (e_pos ** 2 + e_neg ** 2)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    good = 0
    with torch.no_grad():
        for xb, yb in test:
            good += (net(xb).argmax(1) == yb).sum().item()
    print(f"epoch {epoch} nll {nll.item():.3f} energy gap {(e_pos - e_neg).item():.3f} test acc {good / len(test.dataset):.4f}")
