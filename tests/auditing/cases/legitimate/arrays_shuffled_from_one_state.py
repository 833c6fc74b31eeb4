"""Wine; features and labels shuffled one after the other, from the same state of the generator."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from torch.utils.data import DataLoader, TensorDataset

X, y = load_wine(return_X_y=True)
np.random.seed(17)
state = np.random.get_state()
np.random.shuffle(X)
np.random.set_state(state)
np.random.shuffle(y)

torch.manual_seed(17)
n_train = 120
mean, std = X[:n_train].mean(axis=0), X[:n_train].std(axis=0)
X = torch.from_numpy((X - mean) / std).float()
y = torch.from_numpy(y)
train_dl = DataLoader(TensorDataset(X[:n_train], y[:n_train]), batch_size=20, shuffle=True)
test_dl = DataLoader(TensorDataset(X[n_train:], y[n_train:]), batch_size=58)

model = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(10):
    model.train()
    for xb, yb in train_dl:
        loss = nn.functional.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
model.eval()
with torch.no_grad():
    hits = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test_dl)
print(f"test accuracy {hits / (len(X) - n_train):.3f}")
