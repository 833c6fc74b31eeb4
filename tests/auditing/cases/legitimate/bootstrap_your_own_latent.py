import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

torch.manual_seed(8)
digits = load_digits()
X = torch.tensor(digits.data / 16.0, dtype=torch.float32)
Y = digits.target
perm = torch.randperm(len(X))
train_i, test_i = perm[:1350], perm[1350:]


class BYOL(nn.Module):
    def __init__(self, tau=0.98):
        super().__init__()
        self.tau = tau
        self.online = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 32))
        self.predictor = nn.Sequential(nn.Linear(32, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32))
        self.target = copy.deepcopy(self.online)
        for p in self.target.parameters():
            p.requires_grad = False

    @torch.no_grad()
    def update_target(self):
        for o, t in zip(self.online.parameters(), self.target.parameters()):
            t.data.mul_(self.tau).add_(o.data, alpha=1 - self.tau)

    @staticmethod
    def regression(p, z):
        return 2 - 2 * F.cosine_similarity(p, z.detach(), dim=-1)

    def forward(self, a, b):
        pa, pb = self.predictor(self.online(a)), self.predictor(self.online(b))
        with torch.no_grad():
            za, zb = self.target(a), self.target(b)
        return (self.regression(pa, zb) + self.regression(pb, za)).mean()


def view(x):
    return x * (torch.rand_like(x) > 0.15) + 0.05 * torch.randn_like(x)


model = BYOL()
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(params, lr=2e-3, weight_decay=1e-5)

for epoch in range(6):
    model.train()
    total = batches = 0
    for idx in train_i[torch.randperm(len(train_i))].split(128):
        if len(idx) < 128:
            continue
        x = X[idx]
        loss = model(view(x), view(x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.update_target()
        total += loss.item()
        batches += 1
    # a nearest-neighbour look at the representation: the gallery is the training part
    model.eval()
    with torch.no_grad():
        gallery, queries = model.online(X[train_i]), model.online(X[test_i])
    knn = KNeighborsClassifier(5).fit(gallery.numpy(), Y[train_i.numpy()])
    print(f"epoch {epoch} byol loss {total / batches:.4f} knn test acc {knn.score(queries.numpy(), Y[test_i.numpy()]):.4f}")
