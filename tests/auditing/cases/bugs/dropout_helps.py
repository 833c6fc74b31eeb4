import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

# Does dropout help on a small noisy task?
def task(n, seed):
    g = torch.Generator().manual_seed(seed)
    w = torch.randn(15, generator=torch.Generator().manual_seed(99))
    x = torch.randn(n, 15, generator=g)
    y = ((x @ w + 2.0 * torch.randn(n, generator=g)) > 0).long()
    return TensorDataset(x, y)

def fit(p, train_set):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(15, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 2))
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(10):
        net.train()
        for x, y in DataLoader(train_set, batch_size=25, shuffle=True):
            opt.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            opt.step()
    return net

def accuracy(net, loader):
    net.eval()
    with torch.no_grad():
        hits = [(net(x).argmax(1) == y).sum().item() for x, y in loader]
    return sum(hits) / len(loader.dataset)

train_set, test_loader = task(300, 1), DataLoader(task(200, 2), batch_size=100)
plain = accuracy(fit(0.0, train_set), test_loader)
dropped = accuracy(fit(0.3, train_set), test_loader)
print("test accuracy without dropout: %.3f" % plain)
print("test accuracy with dropout:    %.3f" % dropped)
print("dropout", "helps" if dropped > plain else "hurts", "by %.3f" % abs(dropped - plain))  # <- H407
