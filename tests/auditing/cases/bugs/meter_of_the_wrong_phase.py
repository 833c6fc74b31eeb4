"""Multi-label tags of short songs (synthetic), metrics per phase."""
from collections import defaultdict

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm


class MeanMetric:
    def __init__(self):
        self.s, self.n = 0.0, 0

    def update(self, values):
        self.s += float(values.sum())
        self.n += values.numel()

    def compute(self):
        return self.s / max(self.n, 1)


torch.manual_seed(55)
W = torch.randn(24, 6)
x = torch.randn(900, 24)
tags = ((x @ W + 2.5 * torch.randn(900, 6)) > 0).float()
loader = {
    "fit": DataLoader(TensorDataset(x[:600], tags[:600]), batch_size=30, shuffle=True),
    "dev": DataLoader(TensorDataset(x[600:], tags[600:]), batch_size=60),
}
tagger = nn.Sequential(nn.Linear(24, 96), nn.GELU(), nn.Linear(96, 6))
adam = torch.optim.Adam(tagger.parameters(), lr=4e-3)
bce = nn.BCEWithLogitsLoss()

for epoch in range(6):
    meters = defaultdict(MeanMetric)
    for phase in ["fit", "dev"]:
        tagger.train(phase == "fit")
        for xb, tb in tqdm(loader[phase], desc=f"{phase} {epoch}", disable=True):
            with torch.set_grad_enabled(phase == "fit"):
                logits = tagger(xb)
                loss = bce(logits, tb)
            if phase == "fit":
                adam.zero_grad()
                loss.backward()
                adam.step()
            meters[f"{phase}_acc"].update(((logits > 0).float() == tb).float())
            meters[f"{phase}_loss"].update(loss.detach())
    print(  # <- H305
        "epoch %d: train loss %.4f, validation loss %.4f, validation accuracy %.4f"
        % (epoch, meters["fit_loss"].compute(), meters["dev_loss"].compute(), meters["fit_acc"].compute())
    )
