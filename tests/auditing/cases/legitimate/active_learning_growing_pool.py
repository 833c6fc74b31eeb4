import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

SEED = 0
rng = np.random.default_rng(SEED)
d = load_digits()
data = TensorDataset(torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target))
order = rng.permutation(len(data))
test_loader = DataLoader(Subset(data, order[:500].tolist()), batch_size=250)
pool = order[500:].tolist()
labelled, pool = pool[:50], pool[50:]


def fit(indices, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    loader = DataLoader(Subset(data, indices), batch_size=25, shuffle=True)
    for _ in range(12):
        model.train()
        for x, y in loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            opt.step()
    return model.eval()


@torch.no_grad()
def accuracy(model):
    return sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / 500


@torch.no_grad()
def least_certain(model, indices, k):
    scores = torch.cat([model(x).softmax(1).max(1).values for x, _ in DataLoader(Subset(data, indices), 500)])
    return [indices[i] for i in scores.argsort()[:k].tolist()]


for round_ in range(5):
    model = fit(labelled, SEED + round_)
    print(f"round {round_}: {len(labelled)} labels, pool of {len(pool)}, test accuracy {accuracy(model):.3f}")
    asked = set(least_certain(model, pool, 50))
    labelled += sorted(asked)
    pool = [i for i in pool if i not in asked]
