import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

# micro-batches of 24, four to a step; every step's gradient is the mean over its samples, the last one's too
torch.manual_seed(14)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data / 16.0, dtype=torch.float32), torch.tensor(d.target))
train_ds, val_ds = random_split(ds, [1439, 358])
loader = DataLoader(train_ds, batch_size=24, shuffle=True)
val_loader = DataLoader(val_ds, batch_size=100)
model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6 * 15, eta_min=1e-3)


def groups(loader, k):
    group = []
    for batch in loader:
        group.append(batch)
        if len(group) == k:
            yield group
            group = []
    if group:
        yield group


for epoch in range(6):
    model.train()
    epoch_loss = 0.0
    for group in groups(loader, 4):
        n = sum(len(y) for _, y in group)
        opt.zero_grad()
        for x, y in group:
            loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
            (loss / n).backward()
            epoch_loss += loss.item()
        opt.step()
        sched.step()
    model.eval()
    hit = tot = 0
    with torch.no_grad():
        for x, y in val_loader:
            hit += (model(x).argmax(1) == y).sum().item()
            tot += len(y)
    print(f"[{epoch}] train_loss={epoch_loss / len(train_ds):.4f} val_acc={hit / tot:.4f}")
