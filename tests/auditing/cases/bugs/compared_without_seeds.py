import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_digits(return_X_y=True)
Xt, Xv, yt, yv = train_test_split(X / 16, y, test_size=0.2)
train_loader = DataLoader(TensorDataset(torch.tensor(Xt).float(), torch.tensor(yt)), batch_size=64, shuffle=True)
val_loader = DataLoader(TensorDataset(torch.tensor(Xv).float(), torch.tensor(yv)), batch_size=120)


def run(activation):
    model = nn.Sequential(nn.Linear(64, 32), activation, nn.Linear(32, 10))
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(4):
        model.train()
        for xb, yb in train_loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()  # <- H406
            opt.step()
    model.eval()
    with torch.no_grad():
        return sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val_loader) / len(yv)


scores = {type(a).__name__: run(a) for a in (nn.ReLU(), nn.GELU(), nn.Tanh(), nn.SiLU())}
for name, acc in sorted(scores.items(), key=lambda kv: -kv[1]):
    print(f"{name:5s} val acc {acc:.4f}")
print("the best activation is", max(scores, key=scores.get))
