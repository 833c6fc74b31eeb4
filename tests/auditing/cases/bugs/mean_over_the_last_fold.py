import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import KFold
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(16)
X, y = load_wine(return_X_y=True)


def train_fold(X_train, y_train, X_val, y_val):
    m, s = X_train.mean(0), X_train.std(0)
    tr = TensorDataset(torch.tensor((X_train - m) / s).float(), torch.tensor(y_train))
    va = TensorDataset(torch.tensor((X_val - m) / s).float(), torch.tensor(y_val))
    net = nn.Sequential(nn.Linear(13, 12), nn.ReLU(), nn.Linear(12, 3))
    opt = torch.optim.Adam(net.parameters(), lr=6e-3)
    for _ in range(6):
        net.train()
        for a, b in DataLoader(tr, batch_size=16, shuffle=True):
            opt.zero_grad()
            nn.functional.cross_entropy(net(a), b).backward()
            opt.step()
    net.eval()
    n = 0
    with torch.no_grad():
        for a, b in DataLoader(va, batch_size=16):
            n += (net(a).argmax(1) == b).sum().item()
    return n / len(va)


kf = KFold(n_splits=4, shuffle=True, random_state=16)
for k, (i, j) in enumerate(kf.split(X)):
    fold_accs = []
    acc = train_fold(X[i], y[i], X[j], y[j])
    fold_accs.append(acc)
    print(f"fold {k + 1} done")

print(f"mean validation accuracy over 4 folds: {np.mean(fold_accs):.4f}")  # <- H307
