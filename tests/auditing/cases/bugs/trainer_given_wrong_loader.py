from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class Config:
    epochs: int = 4
    batch_size: int = 64
    lr: float = 0.05
    hidden: int = 48
    seed: int = 1234


class Meter:
    def __init__(self):
        self.sum, self.n = 0.0, 0

    def update(self, value, k):
        self.sum += float(value) * k
        self.n += k

    @property
    def avg(self):
        return self.sum / max(self.n, 1)


class Trainer:
    def __init__(self, model, cfg):
        self.model, self.cfg = model, cfg
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = optim.SGD(model.parameters(), lr=cfg.lr, momentum=0.9)

    def fit(self, loader):
        for epoch in range(self.cfg.epochs):
            self.model.train()
            losses = Meter()
            for x, y in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                losses.update(loss.item(), len(y))
            print(f"epoch {epoch}: loss={losses.avg:.4f}")

    @torch.no_grad()
    def test(self, loader):
        self.model.eval()
        acc = Meter()
        for x, y in loader:
            acc.update((self.model(x).argmax(1) == y).float().mean(), len(y))  # <- H101
        return acc.avg


def loaders(cfg):
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    g = torch.Generator().manual_seed(cfg.seed)
    train, test = random_split(TensorDataset(x, y), [0.8, 0.2], generator=g)
    return (
        DataLoader(train, cfg.batch_size, shuffle=True),
        DataLoader(test, cfg.batch_size),
    )


if __name__ == "__main__":
    cfg = Config()
    torch.manual_seed(cfg.seed)
    test_loader, train_loader = loaders(cfg)[::-1]
    net = nn.Sequential(nn.Linear(64, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 10))
    trainer = Trainer(net, cfg)
    trainer.fit(train_loader)
    print(f"test accuracy: {trainer.test(train_loader):.4f}")  # also H305
