"""House-price-like regression with dropout; predictions are collected in one go at the end of each epoch."""
import torch
from sklearn.datasets import make_friedman1
from torch import nn

torch.manual_seed(16)
X, y = make_friedman1(n_samples=1200, n_features=10, noise=1.0, random_state=0)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
x_train, y_train, x_val, y_val = X[:900], y[:900], X[900:], y[900:]

regressor = nn.Sequential(
    nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1),
)
opt = torch.optim.Adam(regressor.parameters(), lr=3e-3)


def rmse(a, b):
    return (a - b).pow(2).mean().sqrt().item()


best, stale = float("inf"), 0
for epoch in range(1, 31):
    regressor.train()
    for i in torch.randperm(900).split(60):
        opt.zero_grad()
        loss = nn.functional.mse_loss(regressor(x_train[i]).flatten(), y_train[i])
        loss.backward()
        opt.step()
    with torch.no_grad():
        val = rmse(regressor(x_val).flatten(), y_val)  # <- H208
    if val < best - 1e-3:
        best, stale = val, 0
    else:
        stale += 1
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} train loss {loss.item():.3f} val rmse {val:.3f}")
    if stale >= 8:
        print("early stop at", epoch)
        break
print("best validation rmse", round(best, 4))
