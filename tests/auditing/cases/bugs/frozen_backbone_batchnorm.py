"""Linear evaluation of a pretrained backbone; the backbone is meant to stay as it was."""
import copy
import logging

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


def get_data():
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(d.target)
    return x, y


def backbone():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )


def fit(model, dl, params, epochs, lr):
    opt = torch.optim.Adam(params, lr=lr)
    for e in range(epochs):
        model.train()
        for x, y in dl:
            opt.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(model(x), y)  # <- H204
            loss.backward()
            opt.step()
        logger.info("epoch %d loss %.4f", e, loss.item())


def score(model, dl):
    model.eval()
    hit = n = 0
    with torch.no_grad():
        for x, y in dl:
            hit += (model(x).argmax(1) == y).sum().item()
            n += len(y)
    return hit / n


def main():
    torch.manual_seed(1)
    x, y = get_data()
    body = backbone()
    source = nn.Sequential(body, nn.Linear(24, 10))
    fit(source, DataLoader(TensorDataset(x[:1000], y[:1000]), 50, shuffle=True), source.parameters(), 3, 4e-3)
    test = DataLoader(TensorDataset(x[1400:], y[1400:]), 200)
    logger.info("source test accuracy %.3f", score(source, test))

    frozen = copy.deepcopy(body)
    for p in frozen.parameters():
        p.requires_grad = False
    probe = nn.Sequential(frozen, nn.Linear(24, 10))
    darker = DataLoader(TensorDataset(x[1000:1400] * 0.5, y[1000:1400]), 50, shuffle=True)
    fit(probe, darker, probe[1].parameters(), 4, 1e-2)
    logger.info("probe test accuracy %.3f", score(probe, test))


main()
