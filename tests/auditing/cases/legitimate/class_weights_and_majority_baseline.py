import logging

import torch
from sklearn.datasets import make_classification
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset
import numpy as np

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
log = logging.getLogger("train")

CONFIG = {"seed": 5, "lr": 0.01, "epochs": 6, "batch": 50, "hidden": 32}


def make_data(seed):
    x, y = make_classification(
        n_samples=1500, n_features=16, n_informative=10, n_classes=3, weights=[0.7, 0.2, 0.1], random_state=seed)
    return TensorDataset(torch.tensor(x).float(), torch.tensor(y).long())


def split_indices(n, seed):
    idx = np.random.default_rng(seed).permutation(n)
    return idx[:1000].tolist(), idx[1000:1200].tolist(), idx[1200:].tolist()


def score(model, loader):
    model.eval()
    n = right = 0
    with torch.no_grad():
        for x, y in loader:
            right += model(x).argmax(1).eq(y).sum().item()
            n += y.numel()
    return right / n


def run(cfg):
    torch.manual_seed(cfg["seed"])
    data = make_data(cfg["seed"])
    tr, va, te = split_indices(len(data), cfg["seed"])
    train_loader = DataLoader(Subset(data, tr), batch_size=cfg["batch"], shuffle=True)
    val_loader = DataLoader(Subset(data, va), batch_size=200)
    test_loader = DataLoader(Subset(data, te), batch_size=200)

    y_train = data.tensors[1][tr].numpy()
    weights = compute_class_weight("balanced", classes=np.arange(3), y=y_train)
    log.info("class weights %s", np.round(weights, 3).tolist())
    majority = np.bincount(y_train).argmax()
    log.info("majority baseline: test accuracy %.4f", (data.tensors[1][te] == majority).float().mean().item())

    model = nn.Sequential(nn.Linear(16, cfg["hidden"]), nn.ReLU(), nn.Linear(cfg["hidden"], 3))
    criterion = nn.CrossEntropyLoss(weight=torch.tensor(weights, dtype=torch.float32))
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    for epoch in range(cfg["epochs"]):
        model.train()
        loss_sum = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * x.shape[0]
        log.info("epoch %d: train loss %.4f, val accuracy %.4f", epoch + 1, loss_sum / len(tr), score(model, val_loader))
    log.info("test accuracy %.4f", score(model, test_loader))


if __name__ == "__main__":
    run(CONFIG)
