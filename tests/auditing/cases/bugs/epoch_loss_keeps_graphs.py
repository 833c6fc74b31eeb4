import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
w = torch.randn(20, 1)
X = torch.randn(1500, 20)
Y = torch.sin(X @ w) + 0.1 * torch.randn(1500, 1)
loader = DataLoader(TensorDataset(X[:1200], Y[:1200]), batch_size=40, shuffle=True)

model = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.MSELoss()

for epoch in range(8):
    model.train()
    epoch_loss = 0.0
    for i, (features, target) in enumerate(loader):
        prediction = model(features)
        loss = criterion(prediction, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss += loss  # <- H214
    model.eval()
    with torch.no_grad():
        test_mse = criterion(model(X[1200:]), Y[1200:])
    print(f"Epoch {epoch + 1}, train {epoch_loss / len(loader):.4f}, test {test_mse:.4f}")
