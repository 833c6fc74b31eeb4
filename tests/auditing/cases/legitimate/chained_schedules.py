import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR, MultiStepLR
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(5)
X, y = load_wine(return_X_y=True)
train_rows, test_rows = random_split(range(178), [128, 50], generator=torch.Generator().manual_seed(5))
scaler = StandardScaler().fit(X[train_rows.indices])
X = torch.tensor(scaler.transform(X), dtype=torch.float32)
y = torch.tensor(y)
train_dl = DataLoader(TensorDataset(X[train_rows.indices], y[train_rows.indices]), batch_size=32, shuffle=True)
test_dl = DataLoader(TensorDataset(X[test_rows.indices], y[test_rows.indices]), batch_size=25)

for name in ("chained", "milestones"):
    torch.manual_seed(6)
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    if name == "chained":
        scheduler = ChainedScheduler([ConstantLR(optimizer, factor=0.2, total_iters=3), ExponentialLR(optimizer, gamma=0.9)])
    else:
        scheduler = MultiStepLR(optimizer, milestones=[6, 9], gamma=0.3)
    for epoch in range(12):
        model.train()
        for xb, yb in train_dl:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            optimizer.step()
        scheduler.step()
    model.eval()
    with torch.no_grad():
        hits = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test_dl)
    print(f"{name}: last lr {scheduler.get_last_lr()[0]:.4f}, test accuracy {hits / 50:.3f}")
