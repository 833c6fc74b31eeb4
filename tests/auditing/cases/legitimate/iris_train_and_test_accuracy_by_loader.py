import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
mean, std = X_train.mean(axis=0), X_train.std(axis=0)


def make_loader(features, target, shuffle):
    features = torch.tensor((features - mean) / std, dtype=torch.float32)
    return DataLoader(TensorDataset(features, torch.tensor(target)), batch_size=15, shuffle=shuffle)


loaders = [make_loader(X_train, y_train, True), make_loader(X_test, y_test, False)]


def get_accuracy(net, loader):
    net.eval()
    n_ok, n = 0, 0
    for features, target in loader:
        with torch.no_grad():
            n_ok += (net(features).argmax(1) == target).sum().item()
        n += len(target)
    net.train()
    return n_ok / n


net = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(1, 16):
    for features, target in loaders[0]:
        opt.zero_grad()
        nn.functional.cross_entropy(net(features), target).backward()
        opt.step()
    if epoch % 5 == 0:
        a, b = (get_accuracy(net, loader) for loader in loaders)
        print(f"Epoch {epoch}: train accuracy {a:.3f}, test accuracy {b:.3f}")
