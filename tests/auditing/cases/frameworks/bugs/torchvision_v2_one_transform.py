import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2


def write_pictures(root: Path, n: int) -> None:
    digits = load_digits()
    for i in range(n):
        folder = root / str(digits.target[i])
        folder.mkdir(exist_ok=True)
        Image.fromarray((digits.images[i] * 15).astype(np.uint8)).save(folder / f"{i}.png")


def main(args):
    torch.manual_seed(args.seed)
    root = Path(tempfile.mkdtemp())
    write_pictures(root, 800)
    transform = v2.Compose([
        v2.Grayscale(),
        v2.ToImage(),
        v2.RandomResizedCrop(8, scale=(0.6, 1.0), antialias=True),
        v2.ColorJitter(brightness=0.3),
        v2.ToDtype(torch.float32, scale=True),
    ])
    dataset = ImageFolder(root, transform=transform)
    order = torch.randperm(len(dataset)).tolist()
    train_loader = DataLoader(Subset(dataset, order[:600]), batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(Subset(dataset, order[600:]), batch_size=100)

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        for data, target in train_loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(data), target)
            loss.backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for data, target in test_loader:
                correct += (model(data).argmax(1) == target).sum().item()  # <- H106
        print(f"Test Epoch: {epoch}\tAccuracy: {correct}/{len(order[600:])} ({100.0 * correct / len(order[600:]):.1f}%)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    main(parser.parse_args())
