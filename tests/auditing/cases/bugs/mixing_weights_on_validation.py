"""Two nets averaged; the mixing weight is chosen on the validation part."""
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(88)
X, y = load_breast_cancer(return_X_y=True)
X, y = torch.tensor(X).float(), torch.tensor(y)
p = torch.randperm(len(y))
tr, va = p[:300], p[300:]
X = (X - X[tr].mean(0)) / X[tr].std(0)
train_dl = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=30, shuffle=True)
valid_dl = DataLoader(TensorDataset(X[va], y[va]), batch_size=90)


def learn(net, lr):
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    net.train()
    for _ in range(4):
        for xb, yb in train_dl:
            opt.zero_grad()
            nn.functional.cross_entropy(net(xb), yb).backward()
            opt.step()
    return net.eval()


shallow = learn(nn.Linear(30, 2), 1e-2)
deep = learn(nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)), 1e-3)


@torch.no_grad()
def mixed_accuracy(alpha):
    hits = 0
    for xb, yb in valid_dl:
        prob = alpha * shallow(xb).softmax(1) + (1 - alpha) * deep(xb).softmax(1)
        hits += (prob.argmax(1) == yb).sum().item()
    return hits / len(valid_dl.dataset)


print(f"shallow: validation accuracy {mixed_accuracy(1.0):.4f}")
print(f"deep: validation accuracy {mixed_accuracy(0.0):.4f}")
scores = {a / 20: mixed_accuracy(a / 20) for a in range(21)}
best = max(scores, key=scores.get)  # <- missed H405
print(f"ensemble (alpha={best}): validation accuracy {scores[best]:.4f}")
