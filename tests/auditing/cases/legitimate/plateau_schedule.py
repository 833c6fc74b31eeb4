import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

SEED = 11
np.random.seed(SEED)
torch.manual_seed(SEED)

X, y = load_diabetes(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=SEED)
x_mu, x_sd = X_train.mean(0), X_train.std(0)
y_mu, y_sd = y_train.mean(), y_train.std()


def to_tensors(a, b):
    return TensorDataset(torch.from_numpy((a - x_mu) / x_sd).float(), torch.from_numpy((b - y_mu) / y_sd).float()[:, None])


train_dl = DataLoader(to_tensors(X_train, y_train), batch_size=32, shuffle=True)
val_dl = DataLoader(to_tensors(X_val, y_val), batch_size=32, shuffle=False)

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="min", factor=0.3, patience=1)
mse = nn.MSELoss()

for epoch in range(15):
    model.train()
    train_sse = 0.0
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        opt.step()
        train_sse += loss.item() * len(xb)
    model.eval()
    val_sse = 0.0
    with torch.no_grad():
        for xb, yb in val_dl:
            val_sse += mse(model(xb), yb).item() * len(xb)
    train_mse = train_sse / len(train_dl.dataset)
    val_mse = val_sse / len(val_dl.dataset)
    sched.step(val_mse)
    print("epoch %2d  train mse %.4f  val mse %.4f  lr %.5f" % (epoch + 1, train_mse, val_mse, opt.param_groups[0]["lr"]))
