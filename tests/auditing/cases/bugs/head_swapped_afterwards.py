"""Fine-tuning: a net trained on digits 0-4 gets a new head for 5-9."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3)
        self.bn = nn.BatchNorm2d(12)
        self.fc = nn.Linear(12 * 9, n_out)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)
        return self.fc(x.flatten(1))


def split(lower):
    d = load_digits()
    m = (d.target < 5) if lower else (d.target >= 5)
    x = torch.tensor(d.images[m], dtype=torch.float32)[:, None] / 16
    y = torch.tensor(d.target[m]) - (0 if lower else 5)
    cut = int(len(x) * 0.75)
    return (DataLoader(TensorDataset(x[:cut], y[:cut]), 32, shuffle=True), DataLoader(TensorDataset(x[cut:], y[cut:]), 128))


def train(model, opt, loader, epochs):
    model.train()
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            F.cross_entropy(model(x), y).backward()
            opt.step()


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


torch.manual_seed(4)
src_train, src_test = split(True)
model = Net(5)
opt = optim.Adam(model.parameters(), lr=3e-3)
train(model, opt, src_train, 3)
print(f"source test acc {evaluate(model, src_test):.3f}")

tgt_train, tgt_test = split(False)
opt = optim.Adam(model.parameters(), lr=1e-3)  # <- H202
model.fc = nn.Linear(model.fc.in_features, 5)
train(model, opt, tgt_train, 3)
print(f"target test acc {evaluate(model, tgt_test):.3f}")
