# Five folds, out-of-fold predictions, one honest score at the end (as notebooks on Kaggle do).
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class CFG:
    seed = 42
    n_splits = 5
    epochs = 6
    lr = 3e-3
    bs = 32


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def build():
    return nn.Sequential(nn.Linear(30, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))


def train_fn(model, dl, criterion, optimizer):
    model.train()
    total, n = 0.0, 0
    for xb, yb in dl:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
        n += len(yb)
    return total / n


@torch.no_grad()
def inference_fn(model, dl):
    model.eval()
    out = []
    for xb, _ in dl:
        out.append(model(xb).squeeze(1).sigmoid().numpy())
    return np.concatenate(out)


def run_fold(fold, tr, va, X, y):
    seed_everything(CFG.seed + fold)
    scaler = StandardScaler().fit(X[tr])
    Xtr = torch.tensor(scaler.transform(X[tr]), dtype=torch.float32)
    Xva = torch.tensor(scaler.transform(X[va]), dtype=torch.float32)
    ytr = torch.tensor(y[tr], dtype=torch.float32)
    yva = torch.tensor(y[va], dtype=torch.float32)
    train_dl = DataLoader(TensorDataset(Xtr, ytr), batch_size=CFG.bs, shuffle=True, drop_last=True)
    valid_dl = DataLoader(TensorDataset(Xva, yva), batch_size=CFG.bs * 2)
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=1e-2)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(CFG.epochs):
        loss = train_fn(model, train_dl, criterion, optimizer)
    pred = inference_fn(model, valid_dl)
    print(f"FOLD: {fold}, train_loss: {loss:.5f}, valid auc: {roc_auc_score(y[va], pred):.4f}, "
          f"valid acc: {accuracy_score(y[va], pred > 0.5):.4f}")
    return pred


X, y = load_breast_cancer(return_X_y=True)
oof = np.zeros(len(y))
skf = StratifiedKFold(n_splits=CFG.n_splits, shuffle=True, random_state=CFG.seed)
for fold, (tr, va) in enumerate(skf.split(X, y)):
    oof[va] = run_fold(fold, tr, va, X, y)
print("CV auc: {:.4f}".format(roc_auc_score(y, oof)))
print("CV accuracy: {:.4f}".format(accuracy_score(y, oof > 0.5)))
