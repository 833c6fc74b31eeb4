"""Multi-label tags of synthetic documents; dropout and batch norm."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Docs(Dataset):
    def __init__(self, n, seed, n_words=60, n_tags=5):
        rng = np.random.RandomState(seed)
        topics = np.random.RandomState(0).gamma(0.2, 1.0, (n_tags, n_words)) + 0.02
        self.tags = (rng.rand(n, n_tags) < 0.35).astype("float32")
        rates = self.tags @ topics + 0.15
        self.words = rng.poisson(rates).astype("float32")

    def __len__(self):
        return len(self.tags)

    def __getitem__(self, i):
        return np.log1p(self.words[i]), self.tags[i]


def evaluate(model, loader):
    model.eval()
    tp = fp = fn = 0
    with torch.no_grad():
        for words, tags in loader:
            guess = model(words) > 0
            tp += (guess & (tags > 0)).sum().item()
            fp += (guess & (tags == 0)).sum().item()
            fn += (~guess & (tags > 0)).sum().item()
    return 2 * tp / max(2 * tp + fp + fn, 1)


torch.manual_seed(9)
train_loader = DataLoader(Docs(900, 1), batch_size=30, shuffle=True)
test_loader = DataLoader(Docs(300, 2), batch_size=100)
model = nn.Sequential(
    nn.Linear(60, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 5)
)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.BCEWithLogitsLoss()
model.train()
for epoch in range(6):
    losses = []
    for words, tags in train_loader:
        loss = criterion(model(words), tags)  # <- H207
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: loss {np.mean(losses):.4f}, test micro-F1 {evaluate(model, test_loader):.4f}")
