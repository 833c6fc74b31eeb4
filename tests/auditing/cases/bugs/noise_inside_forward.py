#!/usr/bin/env python3
"""Segmentation of bright discs with a small U-shaped net."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)


def discs(n, size=16):
    ax = torch.arange(size).float()
    cy, cx = torch.rand(2, n, 1, 1) * (size - 6) + 3
    r = torch.rand(n, 1, 1) * 2 + 2
    mask = ((ax[None, :, None] - cy) ** 2 + (ax[None, None, :] - cx) ** 2 < r**2).float()
    img = mask * 0.8 + 0.35 * torch.randn(n, size, size)
    return TensorDataset(img[:, None], mask[:, None])


class TinyUNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.mid = nn.Sequential(nn.Conv2d(width, width * 2, 3, padding=1), nn.BatchNorm2d(width * 2), nn.ReLU())
        self.up = nn.ConvTranspose2d(width * 2, width, 2, stride=2)
        self.out = nn.Conv2d(width * 2, 1, 1)

    def forward(self, x):
        x = self.augment(x)
        a = self.down(x)
        b = self.up(self.mid(F.max_pool2d(a, 2)))
        return self.out(torch.cat([a, b], 1))

    def augment(self, x):
        gain = 1 + 0.2 * torch.randn(len(x), 1, 1, 1)
        return x * gain + 0.3 * torch.randn_like(x)


def dice(logits, mask):
    p = (logits > 0).float()
    inter = (p * mask).sum((1, 2, 3))
    return ((2 * inter + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)).sum().item()


train, test = DataLoader(discs(320), batch_size=32, shuffle=True), DataLoader(discs(96), batch_size=32)
model = TinyUNet()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    model.train()
    for img, mask in train:
        loss = F.binary_cross_entropy_with_logits(model(img), mask)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    total = 0.0
    with torch.no_grad():
        for img, mask in test:
            total += dice(model(img), mask)  # <- H106
    print(f"epoch {epoch + 1:2d}  loss {loss.item():.4f}  test dice {total / len(test.dataset):.4f}")
