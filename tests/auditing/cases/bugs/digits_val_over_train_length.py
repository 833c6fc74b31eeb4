"""Digits with a two-layer net; reports loss and accuracy per epoch."""
import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, Subset, TensorDataset


class DigitTrainer:
    def __init__(self, net, train_loader, val_loader, device="cpu"):
        self.net = net.to(device)
        self.train_loader = train_loader
        self.val_loader = val_loader
        self.device = device
        self.optimizer = optim.Adam(self.net.parameters(), lr=2e-3)
        self.criterion = nn.CrossEntropyLoss()

    def _train(self):
        self.net.train()
        loss_sum, correct = 0.0, 0
        for x, y in self.train_loader:
            x, y = x.to(self.device), y.to(self.device)
            self.optimizer.zero_grad()
            out = self.net(x)
            loss = self.criterion(out, y)
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.item() * x.size(0)
            correct += (out.argmax(1) == y).sum().item()
        n = len(self.train_loader.dataset)
        return loss_sum / n, correct / n

    def _validate(self):
        self.net.eval()
        loss_sum, correct = 0.0, 0
        with torch.no_grad():
            for x, y in self.val_loader:
                x, y = x.to(self.device), y.to(self.device)
                out = self.net(x)
                loss_sum += self.criterion(out, y).item() * x.size(0)
                correct += (out.argmax(1) == y).sum().item()
        n = len(self.train_loader.dataset)
        return loss_sum / n, correct / n

    def run(self, epochs):
        for epoch in range(epochs):
            tl, ta = self._train()
            vl, va = self._validate()
            print(f"Epoch {epoch + 1}/{epochs}  train loss {tl:.4f} acc {ta:.4f}  val loss {vl:.4f} acc {va:.4f}")  # <- H302


def main():
    torch.manual_seed(123)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target))
    order = torch.randperm(len(data)).tolist()
    cut = int(0.55 * len(data))
    train_loader = DataLoader(Subset(data, order[:cut]), batch_size=64, shuffle=True)
    val_loader = DataLoader(Subset(data, order[cut:]), batch_size=128)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    DigitTrainer(net, train_loader, val_loader).run(6)


main()
