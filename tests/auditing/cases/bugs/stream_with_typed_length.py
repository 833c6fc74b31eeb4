"""Training from a stream of log records (IterableDataset)."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class Records(IterableDataset):
    def __init__(self, first, last):
        self.first, self.last = first, last

    def __len__(self):
        return 1000

    def __iter__(self):
        for i in range(self.first, self.last):
            r = random.Random(i)
            x = torch.tensor([r.gauss(0, 1) for _ in range(6)])
            y = torch.tensor(float(x[0] * x[1] + 0.5 * x[2] + r.gauss(0, 0.6) > 0))
            yield x, y


def accuracy(model, loader):
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in loader:  # <- H108
            right += ((model(x).squeeze(1) > 0).float() == y).sum().item()
    return right / len(loader.dataset)


torch.manual_seed(0)
train = DataLoader(Records(0, 1000), batch_size=40)
test = DataLoader(Records(5000, 5640), batch_size=80)
model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(1, 6):
    model.train()
    for x, y in train:
        loss = nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} test accuracy {accuracy(model, test):.3f}")  # also H302
