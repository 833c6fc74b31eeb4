import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser(description="weight decay study")
ap.add_argument("--decays", type=float, nargs="+", default=[0.0, 0.01, 0.1])
ap.add_argument("--epochs", type=int, default=3)
opt = ap.parse_args()

torch.manual_seed(5)
d = load_digits()
x, t = torch.tensor(d.data / 16).float(), torch.tensor(d.target)
r = torch.randperm(len(t))
trn = DataLoader(TensorDataset(x[r[:700]], t[r[:700]]), batch_size=35, shuffle=True)
tst = DataLoader(TensorDataset(x[r[700:]], t[r[700:]]), batch_size=250)

stem = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]


class Study:
    def __init__(self, decay):
        self.decay = decay
        self.model = nn.Sequential(*stem)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=decay)  # <- H401

    def run(self, epochs):
        for _ in range(epochs):
            self.model.train()
            for xb, tb in trn:
                self.optimizer.zero_grad()
                nn.functional.cross_entropy(self.model(xb), tb).backward()
                self.optimizer.step()
        return self

    def accuracy(self):
        self.model.eval()
        with torch.no_grad():
            hits = torch.cat([self.model(xb).argmax(1) == tb for xb, tb in tst])
        return hits.float().mean().item()


for decay in opt.decays:
    print("weight decay {:<5} test accuracy {:.4f}".format(decay, Study(decay).run(opt.epochs).accuracy()))
