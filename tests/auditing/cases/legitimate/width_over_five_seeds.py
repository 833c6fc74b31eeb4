"""Two widths, five seeds each; the winner is named on the mean over the seeds."""
import statistics

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_breast_cancer(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.4, random_state=3, stratify=y)
mu, sd = X_tr.mean(0), X_tr.std(0)
train_ds = TensorDataset(torch.tensor((X_tr - mu) / sd).float(), torch.tensor(y_tr))
test_dl = DataLoader(TensorDataset(torch.tensor((X_te - mu) / sd).float(), torch.tensor(y_te)), batch_size=128)


def once(width, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(30, width), nn.ReLU(), nn.Linear(width, 2))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(5):
        net.train()
        for xb, yb in DataLoader(train_ds, batch_size=32, shuffle=True):
            opt.zero_grad()
            nn.functional.cross_entropy(net(xb), yb).backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        hits = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in test_dl)
    return hits / len(y_te)


means = {}
for width in (4, 32):
    runs = [once(width, seed) for seed in range(5)]
    means[width] = statistics.mean(runs)
    print(f"width {width}: mean test accuracy {means[width]:.4f} over {len(runs)} seeds")
better = max(means, key=means.get)
print(f"on average width {better} is better")
