import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(21)


class DeepMLP(nn.Module):
    def __init__(self, sizes, n_classes):
        super().__init__()
        self.layers = [nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]  # <- H202
        self.act = nn.ReLU()
        self.classifier = nn.Linear(sizes[-1], n_classes)

    def forward(self, x):
        for layer in self.layers:
            x = self.act(layer(x))
        return self.classifier(x)


digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16.0
y = torch.tensor(digits.target, dtype=torch.long)
idx = torch.randperm(len(x))
ntr = 1200
train = DataLoader(TensorDataset(x[idx[:ntr]], y[idx[:ntr]]), batch_size=64, shuffle=True)
test = DataLoader(TensorDataset(x[idx[ntr:]], y[idx[ntr:]]), batch_size=256)

model = DeepMLP([64, 128, 96], 10)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(8):
    model.train()
    tot = 0
    for xb, yb in train:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        tot += loss.item() * len(yb)
    model.eval()
    with torch.no_grad():
        c = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test)
    print(f"Epoch {epoch}, loss {tot / ntr:.4f}, test acc {c / (len(x) - ntr):.4f}")
