"""A population of learners; the worst copies the best's weights and changes the rate a little."""
import copy
import random

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

random.seed(0)
torch.manual_seed(0)
d = load_digits()
data = TensorDataset(torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target))
train_set, val_set, test_set = random_split(data, [1100, 350, 347], generator=torch.Generator().manual_seed(0))
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
val_loader = DataLoader(val_set, batch_size=175)
test_loader = DataLoader(test_set, batch_size=175)


class Worker:
    def __init__(self, wid, lr):
        self.id = wid
        self.model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        self.optim = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        self.score = 0.0

    @property
    def lr(self):
        return self.optim.param_groups[0]["lr"]

    def train_epoch(self):
        self.model.train()
        for x, y in train_loader:
            self.optim.zero_grad()
            nn.functional.cross_entropy(self.model(x), y).backward()
            self.optim.step()

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        return sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)

    def exploit_and_explore(self, other):
        self.model.load_state_dict(other.model.state_dict())
        self.optim.load_state_dict(copy.deepcopy(other.optim.state_dict()))
        for g in self.optim.param_groups:
            g["lr"] *= random.choice([0.8, 1.25])


population = [Worker(i, 10 ** random.uniform(-4, -1)) for i in range(4)]
for generation in range(4):
    for w in population:
        w.train_epoch()
        w.score = w.evaluate(val_loader)
    population.sort(key=lambda w: w.score)
    print(f"generation {generation}: " + ", ".join(f"#{w.id} lr {w.lr:.4f} val {w.score:.4f}" for w in population))
    if generation < 3:
        population[0].exploit_and_explore(population[-1])
best = population[-1]
print(f"best by validation: #{best.id}, val accuracy {best.score:.4f}, test accuracy {best.evaluate(test_loader):.4f}")
