import time
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

d = load_digits()
gen = torch.Generator().manual_seed(4)
order = torch.randperm(1797, generator=gen)
X, Y = torch.tensor(d.images / 16, dtype=torch.float32)[:, None][order], torch.tensor(d.target)[order]
train_ds, test_ds = TensorDataset(X[:1408], Y[:1408]), TensorDataset(X[1408:1792], Y[1408:1792])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(16 * 16, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.fc(self.drop(x.flatten(1)))


def run(backend, epochs=3):
    torch.manual_seed(4)
    model = Net()
    compiled = torch.compile(model, backend=backend)
    opt = torch.optim.AdamW(compiled.parameters(), lr=3e-3)
    train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
    test_dl = DataLoader(test_ds, batch_size=64)
    for epoch in range(epochs):
        compiled.train()
        for x, y in train_dl:
            loss = F.cross_entropy(compiled(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        compiled.eval()
        with torch.no_grad():
            right = sum((compiled(x).argmax(1) == y).sum().item() for x, y in test_dl)
        print(f"{backend:10s} epoch {epoch} test acc {right / len(test_ds):.4f}")
    return right / len(test_ds)


start = time.time()
# one model, one seed, two compilers: the numbers should be near each other
a = run("eager")
b = run("aot_eager")
print(f"difference between the backends {abs(a - b):.4f}")
print(f"took {time.time() - start:.1f}s")
