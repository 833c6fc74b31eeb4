# Three dropout rates, the same seed for each so that they begin alike; chosen on validation, then one test.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

x, y = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(x).float() / 16, torch.tensor(y))
train_set, val_set, test_set = random_split(data, [500, 600, 697], generator=torch.Generator().manual_seed(3))


def accuracy(net, part):
    net.eval()
    with torch.no_grad():
        return sum((net(a).argmax(1) == b).sum().item() for a, b in DataLoader(part, 200)) / len(part)


def train(p):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(p), nn.Linear(128, 10))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(10):
        net.train()
        for a, b in DataLoader(train_set, 50, shuffle=True):
            opt.zero_grad()
            nn.functional.cross_entropy(net(a), b).backward()
            opt.step()
    return net


nets = {p: train(p) for p in (0.0, 0.3, 0.6)}
scores = {p: accuracy(net, val_set) for p, net in nets.items()}
for p, score in scores.items():
    print(f"dropout {p}: val accuracy {score:.4f}")
best = max(scores, key=scores.get)
print(f"chosen {best}: test accuracy {accuracy(nets[best], test_set):.4f}")
