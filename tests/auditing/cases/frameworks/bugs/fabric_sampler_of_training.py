import numpy as np
import torch
from lightning.fabric import Fabric
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

fabric = Fabric(accelerator="cpu")
fabric.seed_everything(50)

X, y = load_digits(return_X_y=True)
# an uneven world: few of the high digits
keep = np.random.rand(len(y)) < np.where(y < 5, 1.0, 0.25)
X_train, X_test, y_train, y_test = train_test_split(X[keep] / 16, y[keep], test_size=0.5, random_state=50)
train_set = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
test_set = TensorDataset(torch.tensor(X_test).float(), torch.tensor(y_test))

weights = 1.0 / np.bincount(y_train)[y_train]
sampler = WeightedRandomSampler(weights, num_samples=len(weights))
train_loader = DataLoader(train_set, batch_size=32, sampler=sampler)
test_loader = DataLoader(test_set, batch_size=64, sampler=sampler)  # <- H107
train_loader, test_loader = fabric.setup_dataloaders(train_loader, test_loader)

model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
model, optimizer = fabric.setup(model, torch.optim.Adam(model.parameters(), lr=3e-3))
for epoch in range(5):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        fabric.backward(torch.nn.functional.cross_entropy(model(xb), yb))
        optimizer.step()
model.eval()
n = hits = 0
with torch.no_grad():
    for xb, yb in test_loader:
        hits += (model(xb).argmax(1) == yb).sum().item()
        n += len(yb)
print(f"test accuracy: {hits / n:.4f} ({hits} of {n})")
