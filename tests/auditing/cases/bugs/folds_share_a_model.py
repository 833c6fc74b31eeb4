"""5-fold cross-validation on breast cancer."""
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(20)
X, y = load_breast_cancer(return_X_y=True)
X = np.log1p(X)
X = (X - X.mean(0)) / X.std(0)
dataset = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))


def reset(model):
    # a new start for every fold
    for m in model.children():
        if hasattr(m, "reset_parameter"):
            m.reset_parameter()


model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 2))
scores = []
skf = StratifiedKFold(n_splits=5, shuffle=True, random_state=20)
for fold, (train_idx, val_idx) in enumerate(skf.split(X, y), 1):
    reset(model)  # <- missed H401
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(4):
        model.train()
        for xb, yb in DataLoader(Subset(dataset, train_idx), batch_size=64, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            optimizer.step()
    model.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in DataLoader(Subset(dataset, val_idx), batch_size=64):
            hits += (model(xb).argmax(1) == yb).sum().item()  # also H101
    scores.append(hits / len(val_idx))
    print(f"fold {fold}: validation accuracy {scores[-1]:.4f}")
print(f"cross-validated accuracy: {np.mean(scores):.4f} +- {np.std(scores):.4f}")
