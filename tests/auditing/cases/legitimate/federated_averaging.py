import copy
import random

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, Subset, TensorDataset

random.seed(0)
torch.manual_seed(0)
digits = load_digits()
full = TensorDataset(torch.tensor(digits.data / 16.0).float(), torch.tensor(digits.target))
perm = torch.randperm(len(full)).tolist()
test_ds, rest = Subset(full, perm[:397]), perm[397:]


class Client:
    def __init__(self, cid, indices):
        self.id, self.n = cid, len(indices)
        self.loader = DataLoader(Subset(full, indices), batch_size=20, shuffle=True)

    def update(self, global_model, epochs=2):
        model = copy.deepcopy(global_model)
        model.train()
        opt = optim.SGD(model.parameters(), lr=0.1)
        for _ in range(epochs):
            for x, y in self.loader:
                opt.zero_grad()
                loss = nn.functional.cross_entropy(model(x), y)
                loss.backward()
                opt.step()
        return model.state_dict(), self.n


class Server:
    def __init__(self, model, clients, fraction=0.5):
        self.model, self.clients, self.fraction = model, clients, fraction

    def aggregate(self, updates):
        total = sum(n for _, n in updates)
        new = {k: sum(sd[k] * (n / total) for sd, n in updates) for k in updates[0][0]}
        self.model.load_state_dict(new)

    def evaluate(self, ds):
        self.model.eval()
        ok, loss = 0, 0.0
        with torch.no_grad():
            for x, y in DataLoader(ds, batch_size=128):
                out = self.model(x)
                ok += (out.argmax(1) == y).sum().item()
                loss += nn.functional.cross_entropy(out, y, reduction="sum").item()
        return loss / len(ds), ok / len(ds)

    def fit(self, rounds):
        for r in range(rounds):
            picked = random.sample(self.clients, max(1, int(self.fraction * len(self.clients))))
            self.aggregate([c.update(self.model) for c in picked])
            loss, acc = self.evaluate(test_ds)
            print(f"round {r}: clients {sorted(c.id for c in picked)} test loss {loss:.4f} test acc {acc:.4f}")


# unequal clients
sizes = [60, 90, 120, 150, 180, 210, 250, 340]
clients, at = [], 0
for i, s in enumerate(sizes):
    clients.append(Client(i, rest[at : at + s]))
    at += s
Server(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), clients).fit(8)
