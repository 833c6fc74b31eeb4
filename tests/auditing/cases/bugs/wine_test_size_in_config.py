from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn, tensor
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    epochs: int = 25
    lr: float = 0.01
    batch: int = 16
    num_test: int = 40
    seed: int = 0


class Net(nn.Module):
    def __init__(self, d, k):
        super().__init__()
        self.l1, self.l2 = nn.Linear(d, 16), nn.Linear(16, k)

    def forward(self, x):
        return self.l2(self.l1(x).relu())


def data(cfg):
    x, y = load_wine(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.2, random_state=cfg.seed)
    m, s = xtr.mean(0), xtr.std(0)
    f = lambda a, b: TensorDataset(tensor((a - m) / s, dtype=torch.float32), tensor(b))
    return DataLoader(f(xtr, ytr), cfg.batch, shuffle=True), DataLoader(f(xte, yte), cfg.batch)


def test(net, loader, cfg):
    net.eval()
    hit = 0
    with torch.no_grad():
        for x, y in loader:
            hit += np.sum(net(x).argmax(1).numpy() == y.numpy())
    return hit / cfg.num_test  # <- missed H302


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    train_loader, test_loader = data(cfg)
    net = Net(13, 3)
    opt = torch.optim.RMSprop(net.parameters(), lr=cfg.lr)
    for e in range(cfg.epochs):
        net.train()
        for x, y in train_loader:
            loss = nn.functional.nll_loss(net(x).log_softmax(1), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
    print("test accuracy after", cfg.epochs, "epochs:", round(test(net, test_loader, cfg), 4))


if __name__ == "__main__":
    main()
