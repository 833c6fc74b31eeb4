import torch
import torch.nn as nn
from sklearn.datasets import load_wine

cfg = {
    "batch_size": 25,
    "epochs": 20,
    "lr": 0.02,
    "hidden": 20,
    "seed": 3,
}


def make_loaders(cfg):
    X, y = load_wine(return_X_y=True)
    X = torch.tensor(X, dtype=torch.float)
    y = torch.tensor(y)
    perm = torch.randperm(len(X))
    tr, te = perm[:125], perm[125:]
    mu, sd = X[tr].mean(0), X[tr].std(0)
    X = (X - mu) / sd
    mk = torch.utils.data.TensorDataset
    dl = torch.utils.data.DataLoader
    return (dl(mk(X[tr], y[tr]), cfg["batch_size"], shuffle=True), dl(mk(X[te], y[te]), cfg["batch_size"]))


def run_epoch(net, loader, cfg, optimizer=None):
    training = optimizer is not None
    net.train(training)
    n_correct = 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            out = net(x)
            loss = nn.functional.cross_entropy(out, y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            n_correct += int((out.max(dim=1).indices == y).sum())
    return n_correct / (len(loader) * cfg["batch_size"])


torch.manual_seed(cfg["seed"])
train_dl, test_dl = make_loaders(cfg)
net = nn.Sequential(nn.Linear(13, cfg["hidden"]), nn.ReLU(), nn.Linear(cfg["hidden"], 3))
optimizer = torch.optim.SGD(net.parameters(), lr=cfg["lr"], momentum=0.9)
for epoch in range(cfg["epochs"]):
    acc = run_epoch(net, train_dl, cfg, optimizer)
    test_acc = run_epoch(net, test_dl, cfg)
    if epoch % 5 == 4:
        print("epoch {:3d}  train acc {:.3f}  test acc {:.3f}".format(epoch + 1, acc, test_acc))  # <- H302
