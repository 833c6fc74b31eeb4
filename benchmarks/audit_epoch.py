"""A training script as many people write it, for `audit_speed.py`: ResNet-18 on folders of pictures.

    python benchmarks/audit_epoch.py DATA [--pixels 96] [--batches 0]

`DATA` holds `train/` and `val/`, each of class folders. One epoch from random weights, then the validation part.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset[Any]):
    """The pictures of class folders, decoded when they are asked for."""

    def __init__(self, folder: Path, pixels: int, augment: bool = False) -> None:
        self.classes = sorted(path.name for path in folder.iterdir())
        self.samples = [
            (str(path), label) for label, name in enumerate(self.classes) for path in sorted((folder / name).iterdir())
        ]
        self.pixels, self.augment = pixels, augment

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, number: int) -> Any:
        path, label = self.samples[number]
        picture = Image.open(path).convert("RGB").resize((self.pixels, self.pixels))
        x = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255
        if self.augment and torch.rand(1) < 0.5:
            x = x.flip(2)
        return (x - 0.45) / 0.225, label


class Block(nn.Module):
    """Two convolutions and a way past them."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.downsample = nn.Sequential()
        if stride > 1 or inner != outer:
            self.downsample = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: D102
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + self.downsample(x))


def resnet18(n_classes: int) -> nn.Sequential:
    blocks = []
    for inner, outer, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
        blocks += [Block(inner, outer, stride), Block(outer, outer, 1)]
    stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    return nn.Sequential(stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, n_classes))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--pixels", type=int, default=96)
    parser.add_argument("--batches", type=int, default=0, help="stop the epoch after so many; 0 for all")
    parser.add_argument("--batch-size", type=int, default=32)
    asked = parser.parse_args()
    torch.manual_seed(0)
    train_set = Pictures(asked.data / "train", asked.pixels, augment=True)
    val_set = Pictures(asked.data / "val", asked.pixels)
    train_loader = DataLoader(train_set, asked.batch_size, shuffle=True)
    val_loader = DataLoader(val_set, asked.batch_size)
    model = resnet18(len(train_set.classes))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    model.train()
    right, total, loss_sum = 0, 0, 0.0
    for number, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        scores = model(x)
        loss = criterion(scores, y)
        loss.backward()
        optimizer.step()
        right += int((scores.argmax(1) == y).sum())
        total += len(y)
        loss_sum += loss.item() * len(y)
        if number + 1 == asked.batches:
            break
    print(f"train loss {loss_sum / total:.4f} train acc {right / total:.4f}")

    model.eval()
    right, total = 0, 0
    with torch.no_grad():
        for number, (x, y) in enumerate(val_loader):
            right += int((model(x).argmax(1) == y).sum())
            total += len(y)
            if number + 1 == asked.batches:
                break
    print(f"val acc {right / total:.4f}")


if __name__ == "__main__":
    main()
