import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 6
torch.manual_seed(77)
d = load_digits()
imgs = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16
labs = torch.tensor(d.target)
order = torch.randperm(len(imgs))
tr, va = order[:1450], order[1450:]
train_dl = DataLoader(TensorDataset(imgs[tr], labs[tr]), batch_size=58, shuffle=True)
valid_dl = DataLoader(TensorDataset(imgs[va], labs[va]), batch_size=347)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10),
)
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
sched = OneCycleLR(opt, max_lr=1e-2, epochs=EPOCHS, steps_per_epoch=len(train_dl))

for epoch in range(EPOCHS):
    model.train()
    for xb, yb in train_dl:
        loss = nn.functional.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()  # <- H206
    model.eval()
    with torch.no_grad():
        preds = [(model(xb).argmax(1) == yb).float().mean().item() for xb, yb in valid_dl]
    print(f"epoch {epoch} lr {sched.get_last_lr()[0]:.2e} loss {loss.item():.4f} valid_acc {sum(preds) / len(preds):.4f}")
