import functools
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data.datapipes.iter import IterableWrapper

torch.manual_seed(0)
d = load_digits()
rows = [(d.data[i], d.target[i]) for i in torch.randperm(1797, generator=torch.Generator().manual_seed(2)).tolist()]
train_rows, valid_rows = rows[:1497], rows[1497:]


def to_tensors(row):
    return torch.tensor(row[0] / 16, dtype=torch.float32), int(row[1])


def pipe(rows, train):
    p = IterableWrapper(rows, deepcopy=False)
    if train:
        p = p.shuffle(buffer_size=len(rows))
    return p.sharding_filter().map(to_tensors)


def collate(batch):
    xs, ys = zip(*batch)
    return torch.stack(xs), torch.tensor(ys)


make = functools.partial(DataLoader, batch_size=64, collate_fn=collate)
train_dl = make(pipe(train_rows, True), shuffle=True)
valid_dl = make(pipe(valid_rows, False))
model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(5):
    model.train()
    losses = []
    for x, y in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append((loss.item(), len(y)))
    model.eval()
    hits = count = 0
    with torch.no_grad():
        for x, y in valid_dl:
            hits += int((model(x).argmax(1) == y).sum())
            count += len(y)
    mean = sum(l * n for l, n in losses) / sum(n for _, n in losses)
    print(f'epoch {epoch}  train loss {mean:.4f}  valid accuracy {hits / count:.4f}  ({count} rows)')
