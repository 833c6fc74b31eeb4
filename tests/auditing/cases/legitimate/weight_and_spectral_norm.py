import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2024)
X, y = load_diabetes(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
perm = torch.randperm(len(X))
tr, va, te = perm[:300], perm[300:370], perm[370:]
mean, std = X[tr].mean(0), X[tr].std(0)
ymean, ystd = y[tr].mean(), y[tr].std()
X = (X - mean) / std
T = (y - ymean) / ystd

model = nn.Sequential(
    weight_norm(nn.Linear(10, 32)), nn.SiLU(),
    orthogonal(nn.Linear(32, 32)), nn.SiLU(),
    spectral_norm(nn.Linear(32, 16)), nn.SiLU(), nn.Dropout(0.2),
    nn.Linear(16, 1), nn.Flatten(0),
)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
huber = nn.HuberLoss()
loaders = {name: DataLoader(TensorDataset(X[i], T[i]), batch_size=50, shuffle=(name == "train"))
           for name, i in (("train", tr), ("val", va), ("test", te))}


def rmse(split):
    model.eval()
    with torch.no_grad():
        se = torch.cat([(model(a) - b) ** 2 for a, b in loaders[split]])
    return (se.mean().sqrt() * ystd).item()


best = (float("inf"), None)
for epoch in range(20):
    model.train()
    for a, b in loaders["train"]:
        loss = huber(model(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    val = rmse("val")
    if val < best[0]:
        best = (val, {k: v.detach().clone() for k, v in model.state_dict().items()})
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "val rmse %.2f" % val)
model.load_state_dict(best[1])
print("best val rmse %.2f, test rmse %.2f" % (best[0], rmse("test")))
