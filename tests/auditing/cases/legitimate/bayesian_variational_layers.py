"""Bayes by backprop; prediction averages over draws of the weights, in evaluation too, as it should."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class BayesLinear(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.mu = nn.Parameter(torch.randn(o, i) / math.sqrt(i))
        self.rho = nn.Parameter(torch.full((o, i), -4.0))
        self.bias = nn.Parameter(torch.zeros(o))

    def forward(self, x):
        sigma = F.softplus(self.rho)
        return F.linear(x, self.mu + sigma * torch.randn_like(sigma), self.bias)

    def kl(self):
        sigma = F.softplus(self.rho)
        return (0.5 * (sigma ** 2 + self.mu ** 2) - sigma.log() - 0.5).sum()


class BayesNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = BayesLinear(30, 24), BayesLinear(24, 2)

    def forward(self, x):
        return self.l2(F.relu(self.l1(x)))

    def kl(self):
        return self.l1.kl() + self.l2.kl()


def predict(net, x, draws=10):
    return torch.stack([net(x).softmax(1) for _ in range(draws)]).mean(0)


torch.manual_seed(31)
X, y = load_breast_cancer(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=31, test_size=0.3)
m, s = X_tr.mean(0), X_tr.std(0)
train_ds = TensorDataset(torch.tensor((X_tr - m) / s, dtype=torch.float32), torch.tensor(y_tr))
test_ds = TensorDataset(torch.tensor((X_te - m) / s, dtype=torch.float32), torch.tensor(y_te))
train_loader, test_loader = DataLoader(train_ds, 32, shuffle=True), DataLoader(test_ds, 64)

net = BayesNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(1, 16):
    net.train()
    for x, t in train_loader:
        loss = F.cross_entropy(net(x), t) + 0.05 * net.kl() / len(train_ds)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        net.eval()
        right = nll = n = 0
        with torch.no_grad():
            for x, t in test_loader:
                p = predict(net, x)
                right += (p.argmax(1) == t).sum().item()
                nll -= p[torch.arange(len(t)), t].log().sum().item()
                n += len(t)
        print(f"epoch {epoch}: loss {loss.item():.3f} | test acc {right / n:.4f} | test nll {nll / n:.4f}")
