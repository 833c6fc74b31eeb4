import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

CONFIG = {"seed": 13, "epochs": 6, "batch_size": 64, "lr": 5e-3, "emb": {"city": (20, 6), "job": (8, 4)}}
rng = np.random.default_rng(CONFIG["seed"])
torch.manual_seed(CONFIG["seed"])

N = 3000
city, job = rng.integers(0, 20, N), rng.integers(0, 8, N)
age, income = rng.normal(40, 12, N), rng.lognormal(10, 0.4, N)
city_effect, job_effect = rng.normal(0, 1.2, 20), rng.normal(0, 1.0, 8)
logit = city_effect[city] + job_effect[job] + 0.05 * (age - 40) + 0.8 * (np.log(income) - 10) - 1.8
bought = (rng.random(N) < 1 / (1 + np.exp(-logit))).astype(np.float32)

rows = rng.permutation(N)
parts = {"train": rows[:2000], "valid": rows[2000:2500], "test": rows[2500:]}
numeric = np.stack([age, np.log(income)], 1)
mean, std = numeric[parts["train"]].mean(0), numeric[parts["train"]].std(0)


class Table(Dataset):
    def __init__(self, idx):
        self.cats = torch.tensor(np.stack([city[idx], job[idx]], 1))
        self.nums = torch.tensor((numeric[idx] - mean) / std, dtype=torch.float32)
        self.y = torch.tensor(bought[idx])

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.cats[i], self.nums[i], self.y[i]


class Net(nn.Module):
    def __init__(self, sizes, n_num):
        super().__init__()
        self.embs = nn.ModuleList(nn.Embedding(n, d) for n, d in sizes)
        width = sum(d for _, d in sizes) + n_num
        self.mlp = nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))

    def forward(self, cats, nums):
        z = [e(cats[:, i]) for i, e in enumerate(self.embs)]
        return self.mlp(torch.cat([*z, nums], 1)).squeeze(1)


sets = {k: Table(v) for k, v in parts.items()}
y_train = sets["train"].y
weights = torch.where(y_train == 1, 0.5 / y_train.mean(), 0.5 / (1 - y_train.mean()))
sampler = WeightedRandomSampler(weights.double(), num_samples=len(y_train), replacement=True)
train_dl = DataLoader(sets["train"], CONFIG["batch_size"], sampler=sampler)
valid_dl, test_dl = DataLoader(sets["valid"], 256), DataLoader(sets["test"], 256)

net = Net(CONFIG["emb"].values(), 2)
opt = torch.optim.AdamW(net.parameters(), lr=CONFIG["lr"], weight_decay=1e-3)
bce = nn.BCEWithLogitsLoss()


@torch.no_grad()
def score(dl):
    net.eval()
    out = [(net(c, n).sigmoid(), y) for c, n, y in dl]
    p, y = torch.cat([o for o, _ in out]), torch.cat([t for _, t in out])
    tpr = ((p > 0.5) & (y == 1)).sum() / (y == 1).sum()
    tnr = ((p <= 0.5) & (y == 0)).sum() / (y == 0).sum()
    return ((p > 0.5) == (y == 1)).float().mean().item(), ((tpr + tnr) / 2).item()


best, state = -1.0, None
for epoch in range(CONFIG["epochs"]):
    net.train()
    for c, n, y in train_dl:
        opt.zero_grad()
        bce(net(c, n), y).backward()
        opt.step()
    acc, bal = score(valid_dl)
    if bal > best:
        best, state = bal, {k: v.clone() for k, v in net.state_dict().items()}
    print("epoch %d valid accuracy %.4f balanced %.4f" % (epoch, acc, bal))
net.load_state_dict(state)
print("test accuracy %.4f balanced %.4f" % score(test_dl))
