import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--lr", type=float, default=1e-2)
parser.add_argument("--bs", type=int, default=32)
parser.add_argument("--seed", type=int, default=7)
args = parser.parse_args()

np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_breast_cancer(return_X_y=True)
# make it imbalanced as in the clinic
rare = np.where(y == 0)[0][:60]
common = np.where(y == 1)[0]
X, y = np.r_[X[rare], X[common]], np.r_[y[rare], y[common]]

# balance the classes
idx0 = np.where(y == 0)[0]
idx1 = np.where(y == 1)[0]
extra = np.random.choice(idx0, len(idx1) - len(idx0), replace=True)
X = np.concatenate([X, X[extra]])
y = np.concatenate([y, y[extra]])

X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, stratify=y, random_state=args.seed)
sc = StandardScaler().fit(X_tr)
X_tr = torch.from_numpy(sc.transform(X_tr)).float()
X_te = torch.from_numpy(sc.transform(X_te)).float()
y_tr, y_te = torch.from_numpy(y_tr), torch.from_numpy(y_te)

net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 2))
optim = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)

for ep in range(args.epochs):
    net.train()
    perm = torch.randperm(len(X_tr))
    running = 0.0
    for i in range(0, len(perm), args.bs):
        b = perm[i : i + args.bs]
        loss = F.cross_entropy(net(X_tr[b]), y_tr[b])
        optim.zero_grad()
        loss.backward()
        optim.step()
        running += loss.item() * len(b)
    net.eval()
    with torch.no_grad():
        pred = net(X_te).argmax(-1)  # <- H102
    acc = (pred == y_te).float().mean().item()
    recall = (pred[y_te == 0] == 0).float().mean().item()
    print(f"[{ep:02d}] loss {running / len(X_tr):.4f}  test acc {acc:.4f}  recall of the rare class {recall:.4f}")
