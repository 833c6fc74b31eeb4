import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Shapes(Dataset):
    """Discs (1) and squares (2) on a noisy ground (0)."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        yy, xx = np.mgrid[:24, :24]
        self.images, self.masks = [], []
        for _ in range(n):
            mask = np.zeros((24, 24), np.int64)
            for kind in (1, 2):
                cy, cx, r = rng.integers(5, 19), rng.integers(5, 19), rng.integers(3, 6)
                inside = (yy - cy) ** 2 + (xx - cx) ** 2 <= r * r if kind == 1 else (abs(yy - cy) < r) & (abs(xx - cx) < r)
                mask[inside] = kind
            image = np.array([0.0, 0.6, -0.6])[mask] + 0.4 * rng.standard_normal((24, 24))
            self.images.append(torch.tensor(image, dtype=torch.float32)[None])
            self.masks.append(torch.tensor(mask))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


class TinyUNet(nn.Module):
    def __init__(self):
        super().__init__()
        c = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU())
        self.down1, self.down2, self.up = c(1, 8), c(8, 16), c(24, 8)
        self.out = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        b = F.interpolate(b, scale_factor=2, mode="nearest")
        return self.out(self.up(torch.cat([a, b], 1)))


def confusion(pred, target, k=3):
    return torch.bincount((target * k + pred).flatten(), minlength=k * k).view(k, k)


def main():
    torch.manual_seed(0)
    train_loader = DataLoader(Shapes(240, seed=0), batch_size=16, shuffle=True)
    val_loader = DataLoader(Shapes(60, seed=1), batch_size=16)
    model = TinyUNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([0.3, 1.0, 1.0]))
    for epoch in range(4):
        model.train()
        for images, masks in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), masks)
            loss.backward()
            optimizer.step()
        model.eval()
        cm = torch.zeros(3, 3, dtype=torch.long)
        with torch.no_grad():
            for images, masks in val_loader:
                cm += confusion(model(images).argmax(1), masks)
        iou = cm.diag() / (cm.sum(0) + cm.sum(1) - cm.diag())
        print(f"epoch {epoch}: pixel accuracy {cm.diag().sum().item() / cm.sum().item():.4f}, "
              f"mIoU {iou.mean().item():.4f} ({', '.join(f'{v:.3f}' for v in iou.tolist())})")


if __name__ == "__main__":
    main()
