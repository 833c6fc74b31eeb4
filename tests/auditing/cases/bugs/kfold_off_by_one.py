"""5-fold cross validation of a small MLP on the wine data."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
rng = np.random.default_rng(0)
X = X + rng.normal(0, X.std(0) * 0.4, X.shape)  # measurement noise
dataset = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))

skf = StratifiedKFold(n_splits=5, shuffle=True, random_state=1)
folds = list(skf.split(X, y))


def make_model(mean, std):
    class Scale(nn.Module):
        def forward(self, x):
            return (x - mean) / std

    return nn.Sequential(Scale(), nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))


def train_one_fold(k, train_idx, val_idx):
    train_dl = DataLoader(Subset(dataset, train_idx), batch_size=16, shuffle=True)
    val_dl = DataLoader(Subset(dataset, val_idx), batch_size=64)
    mean = torch.tensor(X[train_idx].mean(0), dtype=torch.float32)
    std = torch.tensor(X[train_idx].std(0), dtype=torch.float32)
    model = make_model(mean, std)
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    lossfn = nn.CrossEntropyLoss()
    for epoch in range(12):
        model.train()
        for xb, yb in train_dl:
            opt.zero_grad()
            lossfn(model(xb), yb).backward()
            opt.step()
    model.eval()
    hits = n = 0
    with torch.no_grad():
        for xb, yb in val_dl:
            hits += (model(xb).argmax(1) == yb).sum().item()  # <- H101
            n += len(yb)
    print(f"fold {k}: val accuracy {hits / n:.3f}")
    return hits / n


scores = []
for k in range(len(folds)):
    train_idx, _ = folds[k]
    _, val_idx = folds[k - 1]
    scores.append(train_one_fold(k, train_idx, val_idx))
print("cv accuracy %.3f +- %.3f" % (np.mean(scores), np.std(scores)))
