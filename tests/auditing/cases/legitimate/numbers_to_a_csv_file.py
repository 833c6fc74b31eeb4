import csv
import os
import sys
import tempfile

import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = int(os.environ.get("SEED", "31"))
torch.manual_seed(SEED)

x, y = load_digits(return_X_y=True)
x = torch.tensor(x, dtype=torch.float32) / 16
y = torch.tensor(y)
split = torch.randperm(len(y))
dl_train = DataLoader(TensorDataset(x[split[:1300]], y[split[:1300]]), 64, True)
dl_val = DataLoader(TensorDataset(x[split[1300:]], y[split[1300:]]), 128, False)

net = torch.nn.Sequential(torch.nn.Linear(64, 40), torch.nn.ReLU(), torch.nn.Linear(40, 10))
opt = torch.optim.Adagrad(net.parameters(), lr=0.05)
loss_fn = torch.nn.CrossEntropyLoss(reduction="sum")

out = os.path.join(tempfile.mkdtemp(), "log.csv")
with open(out, "w", newline="") as handle:
    writer = csv.DictWriter(handle, fieldnames=["epoch", "train_loss", "val_loss", "val_acc"])
    writer.writeheader()
    for epoch in range(5):
        row = {"epoch": epoch}
        net.train()
        total = 0.0
        for xb, yb in dl_train:
            opt.zero_grad()
            loss = loss_fn(net(xb), yb)
            (loss / len(yb)).backward()
            opt.step()
            total += loss.item()
        row["train_loss"] = total / len(dl_train.dataset)
        net.eval()
        vl, va = 0.0, 0
        with torch.no_grad():
            for xb, yb in dl_val:
                o = net(xb)
                vl += loss_fn(o, yb).item()
                va += (o.argmax(1) == yb).sum().item()
        row["val_loss"], row["val_acc"] = vl / len(dl_val.dataset), va / len(dl_val.dataset)
        writer.writerow(row)
        handle.flush()

with open(out) as handle:
    sys.stdout.write(handle.read())
