"""Stochastic weight averaging; batch norm is brought up to date at the end."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(27)
d = load_digits()
x, y = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16, torch.tensor(d.target)
perm = torch.randperm(len(x))
x, y = x[perm], y[perm]
train_dl = DataLoader(TensorDataset(x[:1300], y[:1300]), batch_size=52, shuffle=True)
test_dl = DataLoader(TensorDataset(x[1300:], y[1300:]), batch_size=71)

net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
averaged = AveragedModel(net)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(5):
    net.train()
    for a, b in train_dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
    if epoch >= 2:
        averaged.update_parameters(net)
    print(f"epoch {epoch} loss {loss.item():.4f}")

update_bn(test_dl, averaged)  # <- H208
averaged.eval()
with torch.no_grad():
    acc = sum((averaged(a).argmax(1) == b).sum().item() for a, b in test_dl) / len(test_dl.dataset)
print(f"test accuracy of the averaged weights {acc:.4f}")
