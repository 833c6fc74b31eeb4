# diabetes progression, tiny regression net, full numpy slicing, no loaders
import numpy as np
import torch
from sklearn.datasets import load_diabetes

torch.manual_seed(0)
np.random.seed(0)

data = load_diabetes()
order = np.random.permutation(len(data.target))
X = torch.tensor(data.data[order] * 20, dtype=torch.float32)
t = torch.tensor((data.target[order] - 150) / 75, dtype=torch.float32)[:, None]

N_TRAIN = 350
X_train, t_train = X[:N_TRAIN], t[:N_TRAIN]
X_test, t_test = X[-150:], t[-150:]

model = torch.nn.Sequential(
    torch.nn.Linear(10, 64), torch.nn.Tanh(),
    torch.nn.Linear(64, 64), torch.nn.Tanh(),
    torch.nn.Linear(64, 1),
)
opt = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)
mse = torch.nn.MSELoss()

for epoch in range(1, 61):
    model.train()
    shuffled = torch.randperm(N_TRAIN)
    for chunk in shuffled.split(50):
        opt.zero_grad()
        loss = mse(model(X_train[chunk]), t_train[chunk])
        loss.backward()
        opt.step()
    if epoch % 20 == 0:
        model.eval()
        with torch.no_grad():
            out = model(X_test)  # <- H102
        ss_res = ((out - t_test) ** 2).sum()
        ss_tot = ((t_test - t_test.mean()) ** 2).sum()
        print("epoch", epoch, "train mse", round(loss.item(), 4), "test R2", round((1 - ss_res / ss_tot).item(), 4))
