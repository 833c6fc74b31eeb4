# MSE and R2 on data that the scaler never saw
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(0)
torch.manual_seed(0)
X, y = make_friedman1(n_samples=1200, noise=0.5, random_state=0)
idx = rng.permutation(len(X))
tr, va, te = np.split(idx, [800, 1000])

xs, ys = StandardScaler(), StandardScaler()
xs.fit(X[tr])
ys.fit(y[tr].reshape(-1, 1))


def part(ix):
    return (torch.tensor(xs.transform(X[ix]), dtype=torch.float32),
            torch.tensor(ys.transform(y[ix].reshape(-1, 1)), dtype=torch.float32))


Xtr, ytr = part(tr)
Xva, yva = part(va)
Xte, yte = part(te)

mlp = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(mlp.parameters(), lr=3e-3)
criterion = nn.MSELoss()

bs = 100
for epoch in range(30):
    mlp.train()
    perm = torch.randperm(len(Xtr))
    epoch_loss = []
    for i in range(0, len(perm), bs):
        j = perm[i:i + bs]
        opt.zero_grad()
        loss = criterion(mlp(Xtr[j]), ytr[j])
        loss.backward()
        opt.step()
        epoch_loss.append(loss.item())
    if epoch % 5 == 4:
        mlp.eval()
        with torch.no_grad():
            val = criterion(mlp(Xva), yva).item()
        print(f"epoch {epoch + 1:3d}: train mse {np.mean(epoch_loss):.4f}, validation mse {val:.4f}")

mlp.eval()
with torch.no_grad():
    pred = ys.inverse_transform(mlp(Xte).numpy()).ravel()
print("test RMSE", round(mean_squared_error(y[te], pred) ** 0.5, 4))
print("test MAE ", round(mean_absolute_error(y[te], pred), 4))
print("test R2  ", round(r2_score(y[te], pred), 4))
