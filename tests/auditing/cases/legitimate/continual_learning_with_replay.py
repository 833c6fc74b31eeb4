"""Five tasks of two digits each, one after the other; a small memory of old tasks is replayed."""
import random

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

random.seed(1)
torch.manual_seed(1)
X, Y = load_digits(return_X_y=True)
Xtr, Xte, Ytr, Yte = train_test_split(X / 16, Y, test_size=0.3, random_state=1, stratify=Y)


def subset(X, Y, classes):
    m = [y in classes for y in Y]
    return TensorDataset(torch.tensor(X[m], dtype=torch.float32), torch.tensor(Y[m]))


tasks = [(2 * t, 2 * t + 1) for t in range(5)]
train_sets = [subset(Xtr, Ytr, c) for c in tasks]
test_sets = [subset(Xte, Yte, c) for c in tasks]


class Reservoir:
    def __init__(self, size):
        self.size, self.items, self.met = size, [], 0

    def add(self, x, y):
        for a, b in zip(x, y):
            self.met += 1
            if len(self.items) < self.size:
                self.items.append((a, b))
            else:
                j = random.randrange(self.met)
                if j < self.size:
                    self.items[j] = (a, b)

    def sample(self, k):
        xs, ys = zip(*random.sample(self.items, min(k, len(self.items))))
        return torch.stack(xs), torch.stack(ys)


model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
memory = Reservoir(200)
matrix = []
for t, train_set in enumerate(train_sets):
    for epoch in range(4):
        model.train()
        for x, y in DataLoader(train_set, batch_size=16, shuffle=True):
            loss = nn.functional.cross_entropy(model(x), y)
            if memory.items:
                xm, ym = memory.sample(32)
                loss = loss + nn.functional.cross_entropy(model(xm), ym)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if epoch == 0:
                memory.add(x, y)
    model.eval()
    row = []
    with torch.no_grad():
        for s in test_sets[: t + 1]:
            ok = sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(s, batch_size=64))
            row.append(ok / len(s))
    matrix.append(row)
    print(f"after task {t}: " + " ".join(f"{a:.3f}" for a in row) + f" | mean accuracy {sum(row) / len(row):.4f}")
forgetting = [max(r[i] for r in matrix[i:]) - matrix[-1][i] for i in range(4)]
print(f"mean forgetting {sum(forgetting) / 4:.4f}")
