import csv
import io
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(71)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16.0, dtype=torch.float32), torch.tensor(y)
order = torch.randperm(len(y))
tr, va = order[:400], order[400:]
train_dl = DataLoader(TensorDataset(x[tr], y[tr]), batch_size=20, shuffle=True)
valid_dl = DataLoader(TensorDataset(x[va], y[va]), batch_size=200)

model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
history = {"loss": [], "acc": []}


def score(dl):
    model.eval()
    with torch.no_grad():
        good = sum((model(a).argmax(1) == b).sum().item() for a, b in dl)
    return good / len(dl.dataset)


for epoch in range(6):
    model.train()
    for a, b in train_dl:
        loss = nn.functional.cross_entropy(model(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    history["loss"].append(loss.item())
    history["acc"].append(score(valid_dl))
    history["acc"].append(score(train_dl))

table = io.StringIO()
writer = csv.writer(table)
writer.writerow(["epoch", "val_acc"])
for epoch in range(6):
    writer.writerow([epoch + 1, round(history["acc"][2 * epoch + 1], 4)])
sys.stdout.write(table.getvalue())
print("final validation accuracy: {:.4f}".format(history["acc"][-1]))  # <- H305
