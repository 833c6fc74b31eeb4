import statistics

import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEEDS = [0, 1, 2, 3, 4]
X, Y = load_iris(return_X_y=True)
X, Y = torch.tensor(X).float(), torch.tensor(Y)
split = torch.randperm(150, generator=torch.Generator().manual_seed(0))


def set_seed(seed=42):
    torch.manual_seed(seed)


def one_run(seed):
    set_seed()
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)  # <- H402
    train_loader = DataLoader(TensorDataset(X[split[:90]], Y[split[:90]]), batch_size=10, shuffle=True)
    test_loader = DataLoader(TensorDataset(X[split[90:]], Y[split[90:]]), batch_size=60)
    for _ in range(6):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        hits = [(model(x).argmax(1) == y).sum().item() for x, y in test_loader]
    acc = sum(hits) / 60
    print(f"seed {seed}: test accuracy {acc:.4f}")
    return acc


accs = [one_run(s) for s in SEEDS]
print(f"test accuracy over {len(SEEDS)} seeds: {statistics.mean(accs):.4f} ± {statistics.stdev(accs):.4f}")
