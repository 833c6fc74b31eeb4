"""Two stages: the head alone, then everything with a smaller rate and a decay."""
import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(55)
digits = load_digits()
ds = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
train_ds, val_ds = random_split(ds, [1437, 360])
train_dl, val_dl = DataLoader(train_ds, 48, shuffle=True), DataLoader(val_ds, 120)

body = nn.Sequential(nn.Linear(64, 80), nn.ReLU())
head = nn.Linear(80, 10)
model = nn.Sequential(body, head)
loss_fn = nn.CrossEntropyLoss()


def train_epoch(opt):
    model.train()
    for xb, yb in train_dl:
        opt.zero_grad()
        loss_fn(model(xb), yb).backward()
        opt.step()


def val_accuracy():
    model.eval()
    with torch.no_grad():
        return sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val_dl) / len(val_ds)


body.requires_grad_(False)
opt = optim.Adam(head.parameters(), lr=5e-3)
sched = optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
for epoch in range(2):
    train_epoch(opt)
    sched.step()
    print(f"stage 1 epoch {epoch}: val accuracy {val_accuracy():.3f}")

body.requires_grad_(True)
opt2 = optim.Adam(model.parameters(), lr=2e-3)
sched2 = optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)  # <- H205
for epoch in range(5):
    train_epoch(opt2)
    sched2.step()
    print(f"stage 2 epoch {epoch}: val accuracy {val_accuracy():.3f}, lr {sched2.get_last_lr()[0]:.5f}")
