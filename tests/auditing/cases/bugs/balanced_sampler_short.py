import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class BalancedSampler(Sampler):
    """As many of either class in each pass."""

    def __init__(self, labels, generator):
        self.by_class = [torch.where(labels == c)[0] for c in labels.unique()]
        self.generator = generator

    def __iter__(self):
        n = max(len(c) for c in self.by_class)
        drawn = [c[torch.randint(len(c), (n,), generator=self.generator)] for c in self.by_class]
        return iter(torch.stack(drawn, 1).flatten().tolist())

    def __len__(self):
        return sum(len(c) for c in self.by_class)


data = load_breast_cancer()
g = torch.Generator().manual_seed(17)
torch.manual_seed(17)
order = torch.randperm(len(data.target), generator=g)
X = torch.tensor(data.data, dtype=torch.float32)[order]
y = torch.tensor(data.target)[order]
Xtr, ytr, Xva, yva = X[:400], y[:400], X[400:], y[400:]
mu, sd = Xtr.mean(0), Xtr.std(0)
train_loader = DataLoader(TensorDataset((Xtr - mu) / sd, ytr), 25, sampler=BalancedSampler(ytr, g))
valid_loader = DataLoader(TensorDataset((Xva - mu) / sd, yva), 169)

model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(6):
    model.train()
    running_loss = running_correct = 0
    for xb, yb in train_loader:  # <- H108
        out = model(xb)
        loss = criterion(out, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * len(xb)
        running_correct += (out.argmax(1) == yb).sum().item()
    train_loss = running_loss / len(train_loader.sampler)
    train_acc = running_correct / len(train_loader.sampler)
    model.eval()
    with torch.no_grad():
        val_correct = sum((model(a).argmax(1) == b).sum().item() for a, b in valid_loader)
    print(f"Epoch {epoch}: train loss {train_loss:.4f} train acc {train_acc:.4f} val acc {val_correct / len(yva):.4f}")  # also H307
