import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

hp = dict(lr=5.0, batch=50, epochs=5, width=64)
torch.manual_seed(0)
src = load_digits()
X = torch.tensor(src.data, dtype=torch.float32)
Y = torch.tensor(src.target)
sh = torch.randperm(len(X))
X, Y = X[sh], Y[sh]
tr = DataLoader(TensorDataset(X[:1400], Y[:1400]), hp["batch"], shuffle=True)
te = DataLoader(TensorDataset(X[1400:], Y[1400:]), hp["batch"])
mlp = nn.Sequential(nn.Linear(64, hp["width"]), nn.ReLU(), nn.Linear(hp["width"], hp["width"]), nn.ReLU(), nn.Linear(hp["width"], 10))
opt = torch.optim.SGD(mlp.parameters(), lr=hp["lr"])
for ep in range(hp["epochs"]):
    mlp.train()
    ls = []
    for x, y in tr:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(mlp(x), y)  # <- H212
        loss.backward()
        opt.step()
        ls.append(loss.item())
    mlp.eval()
    with torch.no_grad():
        c = sum((mlp(x).argmax(1) == y).sum().item() for x, y in te)
    print(f"epoch {ep} train loss {sum(ls[-10:]) / 10:.3f} test acc {c / 397:.3f}")
