import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, random_split, TensorDataset

torch.manual_seed(21)


class Rotations(Dataset):
    """Every picture in its four rotations; the rotation is the label."""

    def __init__(self, base):
        self.base = base

    def __len__(self):
        return 4 * len(self.base)

    def __getitem__(self, i):
        img, _ = self.base[i // 4]
        k = i % 4
        return torch.rot90(img, k, (1, 2)), k


raw = load_digits()
base = TensorDataset(torch.tensor(raw.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(raw.target))
train_base, test_base = random_split(base, [1297, 500])

backbone = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
)


def run_epoch(head, loader, optimizer=None, train_backbone=True):
    training = optimizer is not None
    head.train(training)
    backbone.train(training and train_backbone)
    loss_sum, correct, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for images, labels in loader:
            logits = head(backbone(images))
            loss = F.cross_entropy(logits, labels)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_sum += loss.item() * labels.size(0)
            correct += logits.argmax(1).eq(labels).sum().item()
            count += labels.size(0)
    return loss_sum / count, correct / count


# 1. pretext task
rot_train = DataLoader(Rotations(train_base), 256, shuffle=True)
rot_test = DataLoader(Rotations(test_base), 256)
rot_head = nn.Linear(96, 4)
optimizer = torch.optim.Adam([*backbone.parameters(), *rot_head.parameters()], lr=3e-3)
for epoch in range(3):
    tl, ta = run_epoch(rot_head, rot_train, optimizer)
    vl, va = run_epoch(rot_head, rot_test)
    print(f"rotation | epoch {epoch} | train loss {tl:.3f} acc {ta:.3f} | test loss {vl:.3f} acc {va:.3f}")

# 2. downstream, the backbone frozen
backbone.requires_grad_(False)
cls_train = DataLoader(train_base, 64, shuffle=True)
cls_test = DataLoader(test_base, 128)
cls_head = nn.Linear(96, 10)
optimizer = torch.optim.Adam(cls_head.parameters(), lr=1e-2)
for epoch in range(4):
    tl, ta = run_epoch(cls_head, cls_train, optimizer, train_backbone=False)
    vl, va = run_epoch(cls_head, cls_test)
    print(f"digits   | epoch {epoch} | train loss {tl:.3f} acc {ta:.3f} | test loss {vl:.3f} acc {va:.3f}")
