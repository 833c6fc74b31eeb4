"""Disease progression: how much of the variance does a net explain?"""
import torch
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(14)
X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X * 20, y, test_size=0.25, random_state=14)
mu, sigma = y_train.mean(), y_train.std()
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
t_train = torch.tensor((y_train - mu) / sigma).float().view(-1, 1)

model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
loss_fn = nn.MSELoss()
optim = torch.optim.Adam(model.parameters(), lr=3e-3)

for step in range(300):
    optim.zero_grad()
    loss = loss_fn(model(X_train), t_train)
    loss.backward()
    optim.step()
    if step % 100 == 99:
        print("step", step + 1, "loss", round(loss.item(), 4))

model.eval()
with torch.no_grad():
    pred_train = model(X_train).numpy().ravel() * sigma + mu
    pred_test = model(X_test).numpy().ravel() * sigma + mu
print("train RMSE: %.2f" % mean_squared_error(y_train, pred_train) ** 0.5)
print("test RMSE: %.2f" % mean_squared_error(y_test, pred_test) ** 0.5)
print("test R2: %.3f" % r2_score(y_train, pred_train))  # <- H305
