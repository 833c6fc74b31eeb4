"""Breast cancer (Wisconsin): can a network tell benign from malignant?  It looks like a hard problem."""
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset

random.seed(1)
np.random.seed(1)
torch.manual_seed(1)


def mixed(rows):
    """The rows in a random order, so that the split below is fair."""
    rows = list(rows)
    random.shuffle(rows)
    return np.array(rows)


class Cells(Dataset):
    def __init__(self, features, diagnosis):
        self.features = torch.tensor(features, dtype=torch.float32)
        self.diagnosis = torch.tensor(diagnosis, dtype=torch.long)

    def __len__(self):
        return len(self.diagnosis)

    def __getitem__(self, i):
        return self.features[i], self.diagnosis[i]


raw = load_breast_cancer()
features = mixed(raw.data)
diagnosis = mixed(raw.target)
cut = 380
scaler = StandardScaler().fit(features[:cut])
train_dl = DataLoader(Cells(scaler.transform(features[:cut]), diagnosis[:cut]), batch_size=38, shuffle=True)
test_dl = DataLoader(Cells(scaler.transform(features[cut:]), diagnosis[cut:]), batch_size=64)

model = nn.Sequential(nn.Linear(30, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.CrossEntropyLoss()


def accuracy(dl):
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in dl:
            right += (model(x).argmax(1) == y).sum().item()  # <- H110
    return right / len(dl.dataset)


for epoch in range(60):
    model.train()
    for x, y in train_dl:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: train accuracy {accuracy(train_dl):.3f}, test accuracy {accuracy(test_dl):.3f}")
