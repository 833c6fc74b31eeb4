"""Writes augmented digits to a folder first, then splits the files into train / val."""
import random
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

random.seed(3)
np.random.seed(3)
torch.manual_seed(3)


def prepare(root: Path, copies: int = 3):
    digits = load_digits()
    for i, (img, label) in enumerate(zip(digits.images[:400], digits.target[:400])):
        for c in range(copies):
            out = np.roll(img, np.random.randint(-1, 2), axis=1)
            if random.random() < 0.3:
                out = np.roll(out, 1, axis=0)
            np.save(root / f"{label}_{i:04d}_{c}.npy", out.astype("float32") / 16)


class Folder(Dataset):
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        f = self.files[i]
        return torch.from_numpy(np.load(f)).unsqueeze(0), int(f.name.split("_")[0])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.fc = nn.Linear(16 * 16, 10)

    def forward(self, x):
        return self.fc(self.body(x))


def main():
    with tempfile.TemporaryDirectory() as tmp:
        root = Path(tmp)
        prepare(root)
        files = sorted(root.glob("*.npy"))
        random.shuffle(files)
        cut = int(0.8 * len(files))
        train_dl = DataLoader(Folder(files[:cut]), 64, shuffle=True)
        val_dl = DataLoader(Folder(files[cut:]), 64)

        model, crit = Net(), nn.CrossEntropyLoss()
        opt = torch.optim.AdamW(model.parameters(), 3e-3)
        for epoch in range(4):
            model.train()
            for x, y in train_dl:
                opt.zero_grad(set_to_none=True)
                loss = crit(model(x), y)
                loss.backward()
                opt.step()
            model.eval()
            ok = total = 0
            with torch.inference_mode():
                for x, y in val_dl:
                    ok += (model(x).argmax(1) == y).sum().item()  # <- H102
                    total += y.numel()
            print(f"epoch {epoch} | train loss {loss.item():.3f} | val acc {100 * ok / total:.2f}%")


if __name__ == "__main__":
    main()
