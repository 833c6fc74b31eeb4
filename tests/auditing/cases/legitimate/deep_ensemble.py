from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def get_loaders():
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X / 16.0, y, test_size=0.25, random_state=0)
    t = lambda x, y: TensorDataset(torch.tensor(x).float(), torch.tensor(y))
    return DataLoader(t(a, c), batch_size=64, shuffle=True), DataLoader(t(b, d), batch_size=64)


def train_member(seed, loader, epochs=5):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
    return net.eval()


@torch.no_grad()
def evaluate(nets, loader):
    nll, correct, n = 0.0, 0, 0
    for x, y in loader:
        p = sum(net(x).softmax(dim=1) for net in nets) / len(nets)
        nll += F.nll_loss(p.log(), y, reduction="sum").item()
        correct += (p.argmax(dim=1) == y).sum().item()
        n += len(y)
    return nll / n, correct / n


if __name__ == "__main__":
    train_loader, test_loader = get_loaders()
    members = []
    for seed in range(4):
        members.append(train_member(seed, train_loader))
        nll, acc = evaluate(members[-1:], test_loader)
        print(f"member {seed}: test nll {nll:.4f}, test acc {acc:.4f}")
    nll, acc = evaluate(members, test_loader)
    print(f"ensemble of {len(members)}: test nll {nll:.4f}, test acc {acc:.4f}")
