"""Iris: train, validate, then tell the names of some new flowers."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASSES = ["setosa", "versicolor", "virginica"]


def get_data():
    iris = load_iris()
    targets = [CLASSES.index(iris.target_names[t]) for t in iris.target]
    x_tr, x_va, y_tr, y_va = train_test_split(iris.data, targets, test_size=0.3, random_state=0, stratify=targets)
    mu, sd = x_tr.mean(0), x_tr.std(0)
    to = lambda x, y: TensorDataset(torch.tensor((x - mu) / sd).float(), torch.tensor(y))
    return to(x_tr, y_tr), to(x_va, y_va)


def predict_names(model, x):
    names = ["versicolor", "setosa", "virginica"]  # <- H111
    with torch.no_grad():
        return [names[i] for i in model(x).argmax(1).tolist()]


def main():
    torch.manual_seed(0)
    train_ds, val_ds = get_data()
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    opt = torch.optim.AdamW(model.parameters(), lr=0.02)
    for epoch in range(15):
        for xb, yb in DataLoader(train_ds, 15, shuffle=True):
            opt.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            opt.step()
    model.eval()
    right = 0
    with torch.no_grad():
        for xb, yb in DataLoader(val_ds, 45):
            right += (model(xb).argmax(1) == yb).sum().item()
    print(f"val acc {right / len(val_ds):.3f}")
    flowers = val_ds.tensors[0][:8]
    print("the first flowers are", ", ".join(predict_names(model, flowers)))


main()
