"""The usual search: a few rates, the best by validation, one look at the test part."""
import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

cfg = {"rates": [0.003, 0.03, 0.3], "epochs": 4, "batch_size": 50, "seed": 13}
torch.manual_seed(cfg["seed"])
raw = load_digits()
data = TensorDataset(torch.tensor(raw.data / 16).float(), torch.tensor(raw.target))
order = torch.randperm(len(data)).tolist()
train_dl = DataLoader(Subset(data, order[:1000]), cfg["batch_size"], shuffle=True)
val_dl = DataLoader(Subset(data, order[1000:1400]), 200)
test_dl = DataLoader(Subset(data, order[1400:]), 200)


def accuracy(net, dl):
    net.eval()
    with torch.no_grad():
        right = sum((net(x).argmax(1) == y).sum().item() for x, y in dl)
    return right / len(dl.dataset)


best = (-1.0, None, None)
for lr in cfg["rates"]:
    net = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    for _ in range(cfg["epochs"]):
        net.train()
        for x, y in train_dl:
            opt.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            opt.step()
    val_acc = accuracy(net, val_dl)
    print(f"lr {lr}: val acc {val_acc:.4f}")
    if val_acc > best[0]:
        best = (val_acc, lr, copy.deepcopy(net))
print(f"best lr {best[1]} (val acc {best[0]:.4f}), test acc {accuracy(best[2], test_dl):.4f}")
