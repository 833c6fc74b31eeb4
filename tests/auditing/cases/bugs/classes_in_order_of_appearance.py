"""Three sorts of wine, as the cellar's files name them."""
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from torch.utils.data import DataLoader, Dataset

NAMES = {0: "barolo", 1: "grignolino", 2: "barbera"}


class Cellar(Dataset):
    """Bottles with the names of their sorts."""

    def __init__(self, rows, names, mean, std):
        self.rows = (torch.as_tensor(rows, dtype=torch.float32) - mean) / std
        self.names = names
        self.classes = list(dict.fromkeys(names))
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        return self.rows[i], self.class_to_idx[self.names[i]]


def epoch_of(model, loader, optimizer=None):
    correct, n = 0, 0
    for rows, labels in loader:
        with torch.set_grad_enabled(optimizer is not None):
            scores = model(rows)  # <- H111
            loss = nn.functional.cross_entropy(scores, labels)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        correct += (scores.argmax(1) == labels).sum().item()
        n += len(labels)
    return correct / n


wine = load_wine()
torch.manual_seed(0)
order = torch.randperm(len(wine.target)).tolist()
rows = wine.data[order]
names = [NAMES[int(t)] for t in wine.target[order]]
mean = torch.as_tensor(rows[:110].mean(0), dtype=torch.float32)
std = torch.as_tensor(rows[:110].std(0), dtype=torch.float32)
train_set = Cellar(rows[:110], names[:110], mean, std)
test_set = Cellar(rows[110:], names[110:], mean, std)
train_loader = DataLoader(train_set, batch_size=22, shuffle=True)
test_loader = DataLoader(test_set, batch_size=34)

model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(8):
    model.train()
    train_acc = epoch_of(model, train_loader, optimizer)
    model.eval()
    test_acc = epoch_of(model, test_loader)
    print(f"{epoch + 1:>2} train {train_acc:.3f} test {test_acc:.3f}")
