import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


def seed_worker(worker_id):
    worker_seed = torch.initial_seed() % 2**32
    np.random.seed(worker_seed)
    random.seed(worker_seed)


class Digits(Dataset):
    def __init__(self, indices, train):
        d = load_digits()
        self.x = d.images[indices].astype("float32") / 16
        self.y = d.target[indices]
        self.train = train

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        img = self.x[i]
        if self.train:
            img = np.roll(img, np.random.randint(-1, 2), axis=random.choice([0, 1]))
        return torch.from_numpy(img.copy()).unsqueeze(0), int(self.y[i])


def main():
    random.seed(0); np.random.seed(0); torch.manual_seed(0)
    g = torch.Generator()
    g.manual_seed(0)
    order = np.random.permutation(1797)
    train_loader = DataLoader(Digits(order[:1400], True), batch_size=100, shuffle=True, num_workers=2,
                              worker_init_fn=seed_worker, generator=g, persistent_workers=True, prefetch_factor=4)
    valid_loader = DataLoader(Digits(order[1400:], False), batch_size=100, num_workers=2, persistent_workers=True)
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    best = float("inf")
    for epoch in range(5):
        model.train()
        train_loss = 0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(x) / len(train_loader.dataset)
        model.eval()
        valid_loss, valid_acc = 0, 0
        with torch.no_grad():
            for x, y in valid_loader:
                p = model(x)
                valid_loss += nn.functional.cross_entropy(p, y).item() * len(x) / len(valid_loader.dataset)
                valid_acc += (p.argmax(1) == y).float().sum().item() / len(valid_loader.dataset)
        scheduler.step(valid_loss)
        best = min(best, valid_loss)
        print(f"{epoch:>3} train_loss={train_loss:.4f} valid_loss={valid_loss:.4f} valid_acc={valid_acc:.4f} best={best:.4f}")


if __name__ == "__main__":
    main()
