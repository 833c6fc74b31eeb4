import time

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def get_loaders(bs):
    b = load_digits()
    ds = TensorDataset(torch.tensor(b.data, dtype=torch.float) / 16, torch.tensor(b.target))
    tr, va = random_split(ds, (1500, 297), generator=torch.Generator().manual_seed(0))
    return DataLoader(tr, bs, shuffle=True), DataLoader(va, bs)


def train_epoch(loader, model, criterion, optimizer):
    total_loss = total_samples = 0
    model.train()
    for xs, ys in loader:
        batch_size = xs.size(0)
        scores = model(xs)
        loss = criterion(scores, ys) / batch_size
        optimizer.zero_grad()
        loss.backward()  # <- H211
        optimizer.step()
        total_loss += loss.item() * batch_size
        total_samples += batch_size
    return total_loss / total_samples


def evaluate(loader, model, criterion):
    model.eval()
    hits = n = 0
    with torch.no_grad():
        for xs, ys in loader:
            hits += (model(xs).argmax(1) == ys).sum().item()
            n += len(ys)
    return hits / n


torch.manual_seed(0)
train_loader, val_loader = get_loaders(50)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
for epoch in range(6):
    start = time.time()
    tr = train_epoch(train_loader, model, criterion, optimizer)
    va = evaluate(val_loader, model, criterion)
    print(f"epoch {epoch}: training loss {tr:.5f}, validation accuracy {va:.4f}")
