"""A streaming data set over shards, split between two workers; validation is another list of shards."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info


class ShardedDigits(IterableDataset):
    def __init__(self, shards, shuffle_seed=None):
        super().__init__()
        self.shards = shards
        self.shuffle_seed = shuffle_seed
        self.epoch = 0

    def __iter__(self):
        info = get_worker_info()
        mine = self.shards if info is None else self.shards[info.id :: info.num_workers]
        rng = None if self.shuffle_seed is None else np.random.default_rng([self.shuffle_seed, self.epoch])
        for images, labels in mine:
            order = np.arange(len(labels)) if rng is None else rng.permutation(len(labels))
            for i in order:
                yield torch.from_numpy(images[i]), int(labels[i])


def build():
    d = load_digits()
    order = np.random.default_rng(0).permutation(len(d.data))
    images, labels = (d.data[order] / 16).astype(np.float32), d.target[order]
    cut = [(images[a : a + 150], labels[a : a + 150]) for a in range(0, 1797, 150)]
    return ShardedDigits(cut[:9], shuffle_seed=1), ShardedDigits(cut[9:])


if __name__ == "__main__":
    torch.manual_seed(0)
    train_ds, val_ds = build()
    train_dl = DataLoader(train_ds, batch_size=50, num_workers=2)
    val_dl = DataLoader(val_ds, batch_size=50, num_workers=2)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(4):
        train_ds.epoch = epoch
        net.train()
        seen = 0
        for x, y in train_dl:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            seen += len(y)
        net.eval()
        good = n = 0
        with torch.no_grad():
            for x, y in val_dl:
                good += (net(x).argmax(1) == y).sum().item()
                n += len(y)
        print(f"epoch {epoch}: {seen} samples trained on, val acc {good}/{n} = {good / n:.4f}")
