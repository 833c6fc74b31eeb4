import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset
import numpy as np

np.random.seed(14)
torch.manual_seed(14)
d = load_digits()
dataset = TensorDataset(torch.tensor(d.data / 16.0, dtype=torch.float32), torch.tensor(d.target))

# one dataset, two samplers
indices = list(range(len(dataset)))
np.random.shuffle(indices)
split = int(np.floor(0.2 * len(dataset)))
train_indices, val_indices = indices[split:], indices[:split]
train_loader = DataLoader(dataset, batch_size=48, sampler=SubsetRandomSampler(train_indices))
validation_loader = DataLoader(dataset, batch_size=48, sampler=SubsetRandomSampler(val_indices))

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2, eta_min=1e-3)
iters = len(train_loader)
best = 0.0
for epoch in range(6):
    model.train()
    for i, (inputs, labels) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        scheduler.step(epoch + i / iters)

    model.eval()
    correct = 0
    with torch.no_grad():
        for inputs, labels in validation_loader:
            correct += (model(inputs).argmax(dim=1) == labels).sum().item()
    acc = correct / len(val_indices)
    best = max(best, acc)
    print(f"epoch {epoch}: valid accuracy {acc:.4f} (best {best:.4f}), lr {optimizer.param_groups[0]['lr']:.4f}")
