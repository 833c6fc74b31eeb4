"""Tumour cells, 30 measurements of very different size."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

config = {"seed": 0, "epochs": 10, "batch": 32, "lr": 1e-2}


class Trainer:
    def __init__(self, cfg):
        torch.manual_seed(cfg["seed"])
        self.cfg = cfg
        self.net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=cfg["lr"])
        self.loss = nn.BCEWithLogitsLoss()

    def fit(self, loader):
        self.net.train()
        for epoch in range(self.cfg["epochs"]):
            for x, y in loader:
                self.opt.zero_grad()
                loss = self.loss(self.net(x).squeeze(1), y)
                loss.backward()
                self.opt.step()
        return loss.item()

    @torch.no_grad()
    def score(self, loader):
        self.net.eval()
        hits, n = 0, 0
        for x, y in loader:
            hits += ((self.net(x).squeeze(1) > 0).float() == y).sum().item()  # <- H112
            n += len(y)
        return hits / n


def to_loader(x, y, **kw):
    return DataLoader(TensorDataset(torch.tensor(x).float(), torch.tensor(y).float()), batch_size=config["batch"], **kw)


X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)
X_train = StandardScaler().fit_transform(X_train)
trainer = Trainer(config)
last = trainer.fit(to_loader(X_train, y_train, shuffle=True))
print(f"last batch loss: {last:.4f}")
print(f"test accuracy:   {trainer.score(to_loader(X_test, y_test)):.4f}")
