"""Predicting petal width from the other three iris measures."""
import torch
from sklearn.datasets import load_iris
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
data = torch.tensor(load_iris().data, dtype=torch.float32)
data = data[torch.randperm(len(data))]
mean, std = data[:110].mean(0), data[:110].std(0)
data = (data - mean) / std
train_loader = DataLoader(TensorDataset(data[:110, :3], data[:110, 3:]), batch_size=22)
valid_loader = DataLoader(TensorDataset(data[110:, :3], data[110:, 3:]), batch_size=40)

model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = torch.nn.functional.mse_loss

for epoch in range(8):
    model.train()
    epoch_loss = 0
    for step, batch in enumerate(train_loader):  # also H105
        inputs, targets = next(iter(train_loader))  # <- H104
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    model.eval()
    with torch.no_grad():
        val = sum(loss_fn(model(a), b).item() for a, b in valid_loader) / len(valid_loader)
    print(f"{epoch=} train_mse={epoch_loss / len(train_loader):.4f} val_mse={val:.4f}")
