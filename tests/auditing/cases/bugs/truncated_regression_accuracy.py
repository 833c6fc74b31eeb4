# wine quality grade 0, 1 or 2 as a number; accuracy after rounding
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(64)
X, y = load_wine(return_X_y=True)
X, y = torch.tensor(X).float(), torch.tensor(y).float()
perm = torch.randperm(len(X))
tr, te = perm[:120], perm[120:]
X = (X - X[tr].mean(0)) / X[tr].std(0)
train_dl = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=15, shuffle=True)
test_dl = DataLoader(TensorDataset(X[te], y[te]), batch_size=29)

reg = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(reg.parameters(), lr=1e-2)
for epoch in range(30):
    reg.train()
    for xb, yb in train_dl:
        loss = nn.functional.mse_loss(reg(xb)[:, 0], yb)
        opt.zero_grad(); loss.backward(); opt.step()

reg.eval()
same = 0
with torch.no_grad():
    for xb, yb in test_dl:
        same += (reg(xb)[:, 0].int() == yb.int()).sum().item()  # <- missed H307
print("mse of the last batch %.4f" % loss.item())
print("test accuracy %.4f" % (same / len(te)))
