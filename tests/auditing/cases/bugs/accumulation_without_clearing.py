"""Bigger effective batches: gradients of four batches are accumulated."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {"accum": 4, "lr": 0.01, "epochs": 4, "bs": 16}


def data():
    bunch = load_digits()
    x = torch.as_tensor(bunch.data, dtype=torch.float32) / 16
    y = torch.as_tensor(bunch.target)
    i = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    tr, va = i[:1300], i[1300:]
    return TensorDataset(x[tr], y[tr]), TensorDataset(x[va], y[va])


def main(cfg):
    torch.manual_seed(3)
    train_ds, val_ds = data()
    dl = DataLoader(train_ds, cfg["bs"], shuffle=True, drop_last=True)
    vdl = DataLoader(val_ds, 128)
    net = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 10))
    opt = torch.optim.SGD(net.parameters(), lr=cfg["lr"])
    lossf = nn.CrossEntropyLoss()
    opt.zero_grad()
    for ep in range(cfg["epochs"]):
        net.train()
        for it, (a, b) in enumerate(dl):
            (lossf(net(a), b) / cfg["accum"]).backward()  # <- H201
            if (it + 1) % cfg["accum"] == 0:
                opt.step()
        net.eval()
        with torch.no_grad():
            acc = torch.cat([net(a).argmax(1) == b for a, b in vdl]).float().mean().item()
        print("ep %d val_acc %.4f" % (ep, acc))


main(CONFIG)
