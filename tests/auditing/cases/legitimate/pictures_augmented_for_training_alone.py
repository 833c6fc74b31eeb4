"""Two datasets over the same picture files: augmented for training, plain for validation; disjoint indices."""
import pathlib
import random
import tempfile

import numpy as np
import torch
from PIL import Image, ImageOps
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)


def write_pictures(folder):
    digits = load_digits(n_class=4)
    for number, (image, label) in enumerate(zip(digits.images[:400], digits.target[:400])):
        (folder / str(label)).mkdir(exist_ok=True)
        Image.fromarray((image * 15).astype(np.uint8)).resize((16, 16)).save(folder / str(label) / f"{number:04d}.png")


def random_shift(picture):
    dx, dy = random.randint(-2, 2), random.randint(-2, 2)
    return picture.transform(picture.size, Image.AFFINE, (1, 0, dx, 0, 1, dy))


def random_rotate(picture):
    return picture.rotate(random.uniform(-12, 12))


class PictureFolder(Dataset):
    def __init__(self, root, transforms=()):
        self.paths = sorted(pathlib.Path(root).glob("*/*.png"))
        self.classes = sorted({path.parent.name for path in self.paths})
        self.transforms = transforms

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        picture = ImageOps.autocontrast(Image.open(path).convert("L"))
        for transform in self.transforms:
            picture = transform(picture)
        pixels = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255).unsqueeze(0)
        return (pixels - 0.5) / 0.5, self.classes.index(path.parent.name)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    total = correct = 0
    for images, labels in loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        correct += (outputs.argmax(1) == labels).sum().item()
        total += labels.size(0)
    return correct / total


def validate(model, loader):
    model.eval()
    total = correct = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += (model(images).argmax(1) == labels).sum().item()
            total += labels.size(0)
    return correct / total


with tempfile.TemporaryDirectory() as name:
    root = pathlib.Path(name)
    write_pictures(root)
    augmented = PictureFolder(root, [random_shift, random_rotate])
    plain = PictureFolder(root)
    order = torch.randperm(len(plain)).tolist()
    split = int(0.75 * len(order))
    train_loader = DataLoader(Subset(augmented, order[:split]), batch_size=32, shuffle=True)
    val_loader = DataLoader(Subset(plain, order[split:]), batch_size=32)

    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1), nn.BatchNorm2d(12), nn.ReLU(),
        nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.BatchNorm2d(24), nn.ReLU(),
        nn.Flatten(), nn.Linear(24 * 16, len(plain.classes)))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(4):
        train_acc = train_one_epoch(model, train_loader, criterion, optimizer)
        val_acc = validate(model, val_loader)
        print(f"Epoch {epoch + 1}: train acc (augmented) {train_acc:.4f}, val acc {val_acc:.4f}")
