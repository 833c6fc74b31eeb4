"""House prices (diabetes data, really): a regression with a running loss."""
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset


class Regressor(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


def train(model, loader, val_loader, epochs=8):
    criterion = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    running_loss = 0.0
    for epoch in range(epochs):
        model.train()
        for inputs, targets in loader:
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = criterion(outputs, targets)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * inputs.size(0)
        epoch_loss = running_loss / len(loader.dataset)

        model.eval()
        sq = 0.0
        with torch.no_grad():
            for inputs, targets in val_loader:
                sq += ((model(inputs) - targets) ** 2).sum().item()
        print('epoch %d train loss: %.4f val loss: %.4f' % (epoch + 1, epoch_loss, sq / len(val_loader.dataset)))  # <- H303


torch.manual_seed(17)
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32) * 20
y = torch.tensor(y, dtype=torch.float32)
idx = torch.randperm(len(X))
tr, va = idx[:342], idx[342:]
mean, std = y[tr].mean(), y[tr].std()
y = (y - mean) / std
train(
    Regressor(X.shape[1]),
    DataLoader(TensorDataset(X[tr], y[tr]), batch_size=32, shuffle=True),
    DataLoader(TensorDataset(X[va], y[va]), batch_size=32),
)
