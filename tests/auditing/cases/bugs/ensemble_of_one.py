"""A deep ensemble against a single net."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 24)
        self.fc2 = nn.Linear(24, 10)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class Ensemble(nn.Module):
    def __init__(self, members):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x):
        return torch.stack([F.softmax(m(x), dim=1) for m in self.members]).mean(0)


def train(net, loader, epochs=3):
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()


@torch.no_grad()
def test(net, loader):
    net.eval()
    return sum((net(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


torch.manual_seed(77)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
perm = torch.randperm(len(y))
train_loader = DataLoader(TensorDataset(X[perm[:1000]], y[perm[:1000]]), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(X[perm[1000:]], y[perm[1000:]]), batch_size=200)

single = Net()
train(single, train_loader)
print(f"single net    test accuracy {test(single, test_loader):.4f}")

members = [Net()] * 5  # <- H402
for i, member in enumerate(members):
    train(member, train_loader)
    print(f"member {i} done")
print(f"ensemble of {len(members)} test accuracy {test(Ensemble(members), test_loader):.4f}")
