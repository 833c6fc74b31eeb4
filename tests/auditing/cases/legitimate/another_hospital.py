"""Tumour cells: learned in one hospital, tested in another whose microscope measures everything larger."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
raw = load_breast_cancer()
order = torch.randperm(len(raw.target)).numpy()
X, y = raw.data[order], raw.target[order]
X_here, y_here, X_there, y_there = X[:300], y[:300], 1.25 * X[300:], y[300:]
scaler = StandardScaler().fit(X_here)


def loader(X, y, shuffle=False):
    data = TensorDataset(torch.tensor(scaler.transform(X)).float(), torch.tensor(y).float())
    return DataLoader(data, batch_size=30, shuffle=shuffle)


net = nn.Sequential(nn.Linear(30, 10), nn.ReLU(), nn.Linear(10, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
train_loader, test_loader = loader(X_here, y_here, shuffle=True), loader(X_there, y_there)
for epoch in range(10):
    for xb, yb in train_loader:
        opt.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(xb).squeeze(-1), yb).backward()
        opt.step()
net.eval()
with torch.no_grad():
    right = sum(((net(xb).squeeze(-1) > 0) == (yb > 0.5)).sum().item() for xb, yb in test_loader)
print(f"accuracy in the other hospital: {right / len(y_there):.3f} of {len(y_there)}")
