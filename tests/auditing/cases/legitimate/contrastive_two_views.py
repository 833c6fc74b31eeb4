#!/usr/bin/env python
"""SimCLR in small: two random views of each digit, NT-Xent, then a linear evaluation on clean pictures."""
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset


def set_seed(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


def augment(img):
    dx, dy = random.randint(-1, 1), random.randint(-1, 1)
    img = torch.roll(img, (dx, dy), (1, 2))
    img = img * (0.7 + 0.6 * random.random())
    return img + 0.1 * torch.randn_like(img)


class TwoViews(Dataset):
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return augment(self.images[i]), augment(self.images[i])


class Labelled(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], int(self.labels[i])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())

    def forward(self, x):
        return self.features(x)


def nt_xent(z1, z2, tau=0.3):
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    sim = z @ z.t() / tau
    sim.fill_diagonal_(-1e9)
    n = len(z1)
    target = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(sim, target)


def pretrain(encoder, loader, epochs):
    projector = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 32))
    opt = torch.optim.Adam(list(encoder.parameters()) + list(projector.parameters()), lr=2e-3)
    for epoch in range(epochs):
        encoder.train()
        losses = []
        for a, b in loader:
            loss = nt_xent(projector(encoder(a)), projector(encoder(b)))
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"pretrain epoch {epoch}: contrastive loss {np.mean(losses):.4f}")


def linear_eval(encoder, train_loader, test_loader, epochs):
    encoder.eval()
    for p in encoder.parameters():
        p.requires_grad = False
    head = nn.Linear(128, 10)
    opt = torch.optim.Adam(head.parameters(), lr=1e-2)
    for epoch in range(epochs):
        for x, y in train_loader:
            loss = F.cross_entropy(head(encoder(x)), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
    correct = total = 0
    with torch.no_grad():
        for x, y in test_loader:
            correct += (head(encoder(x)).argmax(1) == y).sum().item()
            total += len(y)
    print(f"linear evaluation: test accuracy {100 * correct / total:.2f}% ({correct}/{total})")


if __name__ == "__main__":
    set_seed(42)
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    idx = np.random.permutation(len(images))
    tr, te = idx[:1400], idx[1400:]
    enc = Encoder()
    pretrain(enc, DataLoader(TwoViews(images[tr]), 128, shuffle=True, drop_last=True), epochs=3)
    linear_eval(enc, DataLoader(Labelled(images[tr], digits.target[tr]), 64, shuffle=True),
                DataLoader(Labelled(images[te], digits.target[te]), 128), epochs=4)
