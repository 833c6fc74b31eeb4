# Trains three epochs, writes a checkpoint, starts anew from it as another process would, goes on to six.
import os
import tempfile

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

FOLDER = tempfile.mkdtemp()
CKPT = os.path.join(FOLDER, "last.pt")


def build_everything(total_epochs):
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total_epochs)
    return model, optimizer, scheduler


def data():
    x, y = load_digits(return_X_y=True)
    full = TensorDataset(torch.tensor(x).float() / 16, torch.tensor(y))
    train, val = random_split(full, [1440, 357], generator=torch.Generator().manual_seed(1))
    return DataLoader(train, batch_size=72, shuffle=True), DataLoader(val, batch_size=119)


def main(stop_at, resume=False, total_epochs=6):
    model, optimizer, scheduler = build_everything(total_epochs)
    train_loader, val_loader = data()
    start = 0
    best = 0.0
    if resume and os.path.isfile(CKPT):
        print("=> loading checkpoint '{}'".format(os.path.basename(CKPT)))
        checkpoint = torch.load(CKPT, weights_only=False)
        start = checkpoint["epoch"]
        best = checkpoint["best"]
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["scheduler"])
        torch.set_rng_state(checkpoint["rng"])
    criterion = nn.CrossEntropyLoss()
    for epoch in range(start, stop_at):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        hits = 0
        with torch.no_grad():
            for x, y in val_loader:
                hits += (model(x).argmax(1) == y).sum().item()
        acc = hits / len(val_loader.dataset)
        best = max(acc, best)
        print(f"epoch {epoch + 1}: lr {scheduler.get_last_lr()[0]:.4f}, val acc {acc:.4f}, best {best:.4f}")
        torch.save({"epoch": epoch + 1, "best": best, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict(), "rng": torch.get_rng_state()}, CKPT)


if __name__ == "__main__":
    torch.manual_seed(1)
    main(stop_at=3)
    main(stop_at=6, resume=True)
