import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

random.seed(9)
torch.manual_seed(9)


class Pairs(Dataset):
    """Pairs of pictures; 1 where both show the same digit."""

    def __init__(self, images, labels, n_pairs, seed):
        rng = random.Random(seed)
        by_class = {}
        for i, label in enumerate(labels.tolist()):
            by_class.setdefault(label, []).append(i)
        self.images = images
        self.pairs = []
        for k in range(n_pairs):
            if k % 2:
                c = rng.choice(sorted(by_class))
                i, j = rng.sample(by_class[c], 2)
            else:
                a, b = rng.sample(sorted(by_class), 2)
                i, j = rng.choice(by_class[a]), rng.choice(by_class[b])
            self.pairs.append((i, j, k % 2))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        i, j, same = self.pairs[k]
        return self.images[i], self.images[j], torch.tensor(same, dtype=torch.float32)


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, a, b):
        return self.encoder(a), self.encoder(b)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, out1, out2, same):
        d = F.pairwise_distance(out1, out2)
        return (same * d.pow(2) + (1 - same) * F.relu(self.margin - d).pow(2)).mean()


x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x).float() / 16, torch.tensor(y)
perm = torch.randperm(len(y))
tr, te = perm[:1200], perm[1200:]
train_loader = DataLoader(Pairs(x[tr], y[tr], 1500, seed=1), batch_size=50, shuffle=True)
test_loader = DataLoader(Pairs(x[te], y[te], 500, seed=2), batch_size=100)
model = SiameseNetwork()
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(5):
    model.train()
    total = 0.0
    for a, b, same in train_loader:
        optimizer.zero_grad()
        loss = criterion(*model(a, b), same)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(same)
    model.eval()
    right = 0
    with torch.no_grad():
        for a, b, same in test_loader:
            d = F.pairwise_distance(*model(a, b))
            right += ((d < 0.5).float() == same).sum().item()
    print(f"epoch {epoch + 1}  train loss {total / len(train_loader.dataset):.4f}  test pair accuracy {right / len(test_loader.dataset):.4f}")
