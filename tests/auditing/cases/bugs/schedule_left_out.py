from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset


class Experiment:
    def __init__(self, epochs: int = 6) -> None:
        torch.manual_seed(31)
        self.epochs = epochs
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.2, momentum=0.9)
        self.lr_scheduler = CosineAnnealingLR(self.optimizer, T_max=epochs)  # <- H205
        self.setup_data()

    def setup_data(self) -> None:
        data = load_digits()
        x = torch.tensor(data.images, dtype=torch.float32) / 16
        y = torch.tensor(data.target)
        idx = torch.randperm(len(y))
        self.train_dl = DataLoader(TensorDataset(x[idx[300:]], y[idx[300:]]), batch_size=32, shuffle=True)
        self.val_dl = DataLoader(TensorDataset(x[idx[:300]], y[idx[:300]]), batch_size=100)

    def train_epoch(self) -> float:
        self.model.train()
        total = 0.0
        for x, y in self.train_dl:
            self.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(self.model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            total += loss.item() * y.size(0)
        return total / len(self.train_dl.dataset)

    @torch.no_grad()
    def validate(self) -> float:
        self.model.eval()
        correct = 0
        for x, y in self.val_dl:
            correct += int((self.model(x).argmax(1) == y).sum())
        return correct / len(self.val_dl.dataset)

    def run(self) -> None:
        for epoch in range(self.epochs):
            loss = self.train_epoch()
            acc = self.validate()
            print(f"{epoch + 1}/{self.epochs} train_loss={loss:.4f} val_acc={acc:.4f}")


if __name__ == "__main__":
    Experiment().run()
