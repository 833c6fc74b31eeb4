"""Trained with one laboratory's numbering, tested with another's; the labels are translated by name."""
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, Dataset

OURS = ["barbera", "barolo", "grignolino"]
THEIRS = ["grignolino", "barbera", "barolo"]
TO_OURS = [OURS.index(name) for name in THEIRS]
SORTS = {0: "barolo", 1: "grignolino", 2: "barbera"}


class Bottles(Dataset):
    def __init__(self, rows, sorts, classes, translate=None):
        self.rows, self.classes = torch.tensor(rows).float(), classes
        self.numbers = [classes.index(SORTS[s]) for s in sorts]
        self.translate = translate

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, i):
        number = self.numbers[i]
        return self.rows[i], number if self.translate is None else self.translate[number]


wine = load_wine()
torch.manual_seed(1)
order = torch.randperm(len(wine.target)).numpy()
rows, sorts = wine.data[order], wine.target[order].tolist()
rows = (rows - rows[:100].mean(0)) / rows[:100].std(0)
train_loader = DataLoader(Bottles(rows[:100], sorts[:100], OURS), batch_size=20, shuffle=True)
test_loader = DataLoader(Bottles(rows[100:], sorts[100:], THEIRS, TO_OURS), batch_size=39)

net = nn.Sequential(nn.Linear(13, 20), nn.Tanh(), nn.Linear(20, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(6):
    net.train()
    for x, t in train_loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), t)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        hit = sum((net(x).argmax(1) == t).sum().item() for x, t in test_loader)
    print("epoch %d: loss %.3f, test accuracy %.3f" % (epoch, loss.item(), hit / 78))
