"""Pre-trained on six digits, moved to four others: same body, new head, other classes with numbers of their own."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

NAMES = "zero one two three four five six seven eight nine".split()


class Digits(Dataset):
    def __init__(self, names):
        raw = load_digits()
        self.classes = sorted(names)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        keep = [i for i, t in enumerate(raw.target) if NAMES[t] in names]
        self.x = torch.tensor(raw.data[keep] / 16).float()
        self.y = [self.class_to_idx[NAMES[raw.target[i]]] for i in keep]

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Net(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 48), nn.ReLU())
        self.head = nn.Linear(48, n_classes)

    def forward(self, x):
        return self.head(self.body(x))


def parts(data, generator):
    order = torch.randperm(len(data), generator=generator).tolist()
    cut = int(0.7 * len(data))
    return DataLoader(Subset(data, order[:cut]), 32, shuffle=True), DataLoader(Subset(data, order[cut:]), 64)


def fit(net, train_loader, val_loader, optimizer, epochs, name):
    for epoch in range(epochs):
        net.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        net.eval()
        correct = total = 0
        with torch.no_grad():
            for x, y in val_loader:
                correct += (net(x).argmax(1) == y).sum().item()
                total += len(y)
        print(f"[{name}] epoch {epoch} val acc {correct / total:.3f}")


torch.manual_seed(0)
g = torch.Generator().manual_seed(0)
net = Net(6)
fit(net, *parts(Digits(NAMES[:6]), g), torch.optim.Adam(net.parameters(), 3e-3), 4, "pretrain")
net.head = nn.Linear(48, 4)
fit(net, *parts(Digits(NAMES[6:]), g), torch.optim.Adam(net.parameters(), 1e-3), 4, "transfer")
