import random

import numpy as np
import torch
import torch.nn as nn
from PIL import Image, ImageOps
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, random_split


class Compose:
    def __init__(self, *ts):
        self.ts = ts

    def __call__(self, img):
        for t in self.ts:
            img = t(img)
        return img


class RandomCrop:
    def __init__(self, size, padding):
        self.size, self.padding = size, padding

    def __call__(self, img):
        img = ImageOps.expand(img, self.padding)
        left = random.randint(0, 2 * self.padding)
        top = random.randint(0, 2 * self.padding)
        return img.crop((left, top, left + self.size, top + self.size))


def to_tensor(img):
    return torch.from_numpy(np.array(img, dtype=np.float32) / 255)[None]


class DigitPictures(Dataset):
    def __init__(self, transform):
        raw = load_digits()
        self.pictures = [Image.fromarray((im * 15.9).astype(np.uint8)) for im in raw.images[:900]]
        self.targets = raw.target[:900].tolist()
        self.transform = transform

    def __getitem__(self, index):
        return self.transform(self.pictures[index]), self.targets[index]

    def __len__(self):
        return len(self.targets)


random.seed(0)
torch.manual_seed(0)
full = DigitPictures(Compose(RandomCrop(8, padding=2), to_tensor))
train_ds, val_ds = random_split(full, [720, 180])
train_dl = DataLoader(train_ds, batch_size=60, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=90)

net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10),
)
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
best = 0
for epoch in range(5):
    net.train()
    for img, lab in train_dl:
        opt.zero_grad()
        nn.functional.cross_entropy(net(img), lab).backward()
        opt.step()
    net.eval()
    good = 0
    with torch.no_grad():
        for img, lab in val_dl:
            good += net(img).argmax(1).eq(lab).sum().item()  # <- H106
    acc = good / len(val_ds)
    best = max(best, acc)
    print(f"Epoch {epoch}: validation accuracy {acc:.3%}")
print(f"best {best:.3%}")
