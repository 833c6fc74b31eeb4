"""Which optimiser for the tumour data?  One run each."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_breast_cancer(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
mu, sd = Xtr.mean(0), Xtr.std(0)
train_ds = TensorDataset(torch.tensor((Xtr - mu) / sd).float(), torch.tensor(ytr))
test_ds = TensorDataset(torch.tensor((Xte - mu) / sd).float(), torch.tensor(yte))


def run(name):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 2))
    if name == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(12):
        model.train()
        for xb, yb in DataLoader(train_ds, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            optimizer.step()
    model.eval()
    right = 0
    with torch.no_grad():
        for xb, yb in DataLoader(test_ds, batch_size=57):
            right += (model(xb).argmax(1) == yb).sum().item()
    print(f"{name}: test acc {right / len(test_ds):.4f}")
    return right / len(test_ds)


scores = {name: run(name) for name in ("sgd", "adam")}
first, second = sorted(scores, key=scores.get, reverse=True)
print(f"{first} beats {second} by {100 * (scores[first] - scores[second]):.1f} points")  # <- H407
