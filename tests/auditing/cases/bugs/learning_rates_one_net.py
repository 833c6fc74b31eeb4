"""Which learning rate is best for digits?"""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16).float(), torch.tensor(y)
perm = torch.randperm(len(X))
train_dl = DataLoader(TensorDataset(X[perm[:1200]], y[perm[:1200]]), batch_size=60, shuffle=True)
val_dl = DataLoader(TensorDataset(X[perm[1200:]], y[perm[1200:]]), batch_size=200)


def train(net, lr, epochs=3):
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)  # <- H401
    for _ in range(epochs):
        net.train()
        for xb, yb in train_dl:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(xb), yb).backward()
            optimizer.step()


def validate(net):
    net.eval()
    with torch.no_grad():
        return sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in val_dl) / len(val_dl.dataset)


net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
results = {}
for lr in [0.5, 0.1, 0.02, 0.005]:
    train(net, lr)
    results[lr] = validate(net)

print("lr      val acc")
for lr, acc in results.items():
    print(f"{lr:<8}{acc:.4f}")
print("best learning rate:", max(results, key=results.get))
