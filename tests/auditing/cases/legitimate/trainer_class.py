from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class TrainerConfig:
    max_epochs: int = 5
    lr: float = 3e-3
    batch_size: int = 64
    grad_clip: float = 1.0
    seed: int = 1337
    history: list = field(default_factory=list)


class Metric:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def add(self, value, n):
        self.total += value
        self.count += n

    @property
    def value(self):
        return self.total / max(1, self.count)


class Trainer:
    def __init__(self, config, model, train_dataset, val_dataset):
        self.config = config
        self.model = model
        self.train_loader = DataLoader(train_dataset, batch_size=config.batch_size, shuffle=True)
        self.val_loader = DataLoader(val_dataset, batch_size=config.batch_size)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=0.9)
        self.criterion = nn.CrossEntropyLoss()

    def _step(self, batch, loss_metric, acc_metric):
        x, y = batch
        logits = self.model(x)
        loss = self.criterion(logits, y)
        loss_metric.add(loss.item() * len(y), len(y))
        acc_metric.add((logits.argmax(dim=1) == y).sum().item(), len(y))
        return loss

    def train_epoch(self):
        self.model.train()
        loss_metric, acc_metric = Metric(), Metric()
        for batch in self.train_loader:
            loss = self._step(batch, loss_metric, acc_metric)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
            self.optimizer.step()
        self.scheduler.step()
        return loss_metric.value, acc_metric.value

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        loss_metric, acc_metric = Metric(), Metric()
        for batch in self.val_loader:
            self._step(batch, loss_metric, acc_metric)
        return loss_metric.value, acc_metric.value

    def fit(self):
        for epoch in range(1, self.config.max_epochs + 1):
            train_loss, train_acc = self.train_epoch()
            val_loss, val_acc = self.validate()
            self.config.history.append((train_loss, train_acc, val_loss, val_acc))
            print(f"epoch {epoch}/{self.config.max_epochs} - loss: {train_loss:.4f} - accuracy: {train_acc:.4f}"
                  f" - val_loss: {val_loss:.4f} - val_accuracy: {val_acc:.4f}")


def main():
    config = TrainerConfig()
    torch.manual_seed(config.seed)
    x, y = load_digits(return_X_y=True)
    dataset = TensorDataset(torch.as_tensor(x, dtype=torch.float32) / 16, torch.as_tensor(y))
    train_dataset, val_dataset = random_split(dataset, [0.75, 0.25])
    model = nn.Sequential(nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 10))
    Trainer(config, model, train_dataset, val_dataset).fit()


if __name__ == "__main__":
    main()
