# CutMix on digits: soft targets, plain evaluation
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(55)


def cutmix(images, labels, n_classes, p=0.5):
    targets = F.one_hot(labels, n_classes).float()
    if torch.rand(()) > p:
        return images, targets
    lam = torch.distributions.Beta(1.0, 1.0).sample().item()
    h, w = images.shape[-2:]
    cut = (1 - lam) ** 0.5
    ch, cw = int(h * cut), int(w * cut)
    top = torch.randint(0, h - ch + 1, ()).item()
    left = torch.randint(0, w - cw + 1, ()).item()
    other = torch.randperm(len(images))
    mixed = images.clone()
    mixed[..., top:top + ch, left:left + cw] = images[other][..., top:top + ch, left:left + cw]
    lam = 1 - ch * cw / (h * w)
    return mixed, lam * targets + (1 - lam) * targets[other]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(32 * 16, 10)

    def forward(self, x):
        return self.fc(self.drop(self.body(x).flatten(1)))


digits = load_digits()
full = TensorDataset(torch.tensor(digits.images).float().unsqueeze(1) / 16, torch.tensor(digits.target))
train_ds, val_ds = random_split(full, (1437, 360))
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=120)
net = Net()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for epoch in range(4):
    net.train()
    losses = []
    for x, y in train_dl:
        x, t = cutmix(x, y, 10)
        loss = F.cross_entropy(net(x), t)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    net.eval()
    with torch.inference_mode():
        acc = torch.cat([net(x).argmax(1) == y for x, y in val_dl]).float().mean().item()
    print(f"epoch {epoch + 1}: mean batch loss {sum(losses) / len(losses):.3f}, val accuracy {acc:.2%}")
