"""Find the blobs: tiny fully convolutional segmentation."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

IMG = 16
N_TRAIN, N_VAL = 160, 45


class Blobs(Dataset):
    def __init__(self, n, seed, size=IMG):
        g = torch.Generator().manual_seed(seed)
        yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        self.x, self.y = [], []
        for _ in range(n):
            cy, cx = torch.randint(3, size - 3, (2,), generator=g).tolist()
            mask = ((yy - cy) ** 2 + (xx - cx) ** 2 <= 9).long()
            self.x.append(mask[None].float() * 0.8 + torch.rand(1, size, size, generator=g))
            self.y.append(mask)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def conv(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


torch.manual_seed(4)
model = nn.Sequential(conv(1, 8), conv(8, 8), nn.Conv2d(8, 2, 1))
train_loader = DataLoader(Blobs(N_TRAIN, 10), batch_size=16, shuffle=True)
val_loader = DataLoader(Blobs(N_VAL, 20), batch_size=16)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(3):
    model.train()
    for image, mask in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(image), mask)
        loss.backward()
        optimizer.step()

    model.eval()
    good_pixels = 0
    with torch.no_grad():
        for image, mask in val_loader:
            pred = model(image).argmax(dim=1)
            good_pixels += (pred == mask).sum().item()
    pixel_acc = good_pixels / (48 * IMG * IMG)  # <- missed H302
    print(f"epoch {epoch}  loss {loss.item():.4f}  val pixel acc {pixel_acc:.4f}")
