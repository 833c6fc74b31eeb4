import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)

bunch = load_digits()
X = torch.tensor(bunch.images, dtype=torch.float32)[:, None] / 16
y = torch.tensor(bunch.target)
perm = torch.randperm(len(y))
X, y = X[perm], y[perm]
# pretraining task: was the picture turned upside down? (first 900 only)
flip = torch.rand(900) < 0.5
pre_X = torch.where(flip[:, None, None, None], X[:900].flip(2), X[:900])
pre_dl = DataLoader(TensorDataset(pre_X, flip.long()), batch_size=45, shuffle=True)
train_dl = DataLoader(TensorDataset(X[:900], y[:900]), batch_size=45, shuffle=True)
val_dl = DataLoader(TensorDataset(X[900:1300], y[900:1300]), batch_size=100)
test_dl = DataLoader(TensorDataset(X[1300:], y[1300:]), batch_size=100)


class Net(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.block1 = nn.Conv2d(1, 12, 3, padding=1)
        self.block2 = nn.Conv2d(12, 24, 3, padding=1, stride=2)
        self.head = nn.Linear(24 * 16, n_out)

    def forward(self, x):
        x = F.relu(self.block1(x))
        x = F.relu(self.block2(x))
        return self.head(x.flatten(1))


def fit(model, dl, epochs, lr):
    opt = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    model.train()
    for _ in range(epochs):
        for xb, yb in dl:
            opt.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            opt.step()


def accuracy(model, dl):
    model.eval()
    with torch.no_grad():
        pairs = [((model(xb).argmax(1) == yb).sum().item(), len(yb)) for xb, yb in dl]
    return sum(a for a, _ in pairs) / sum(b for _, b in pairs)


def set_trainable(module, value):
    for p in module.parameters():
        p.requires_grad_(value)


model = Net(2)
fit(model, pre_dl, 3, 2e-3)
model.head = nn.Linear(24 * 16, 10)

set_trainable(model.block1, False)
set_trainable(model.block2, False)
fit(model, train_dl, 2, 3e-3)
print("head only: val accuracy %.4f" % accuracy(model, val_dl))

set_trainable(model.block2, True)
fit(model, train_dl, 2, 1e-3)
print("block2 + head: val accuracy %.4f" % accuracy(model, val_dl))

set_trainable(model.block1, True)
fit(model, train_dl, 2, 5e-4)
print("everything: val accuracy %.4f" % accuracy(model, val_dl))
print("test accuracy %.4f" % accuracy(model, test_dl))
