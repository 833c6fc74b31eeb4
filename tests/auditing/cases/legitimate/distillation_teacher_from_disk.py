"""Distil a saved teacher into a small student. (The first part stands for an earlier script that saved it.)"""
import os
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(2)
torch.manual_seed(2)
X, y = load_breast_cancer(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, stratify=y, random_state=2)
scaler = StandardScaler().fit(Xtr)
to = lambda a, t: TensorDataset(torch.tensor(scaler.transform(a), dtype=torch.float32), torch.tensor(t, dtype=torch.float32))
train_iter = DataLoader(to(Xtr, ytr), batch_size=32, shuffle=True)
test_iter = DataLoader(to(Xte, yte), batch_size=64)


class Net(nn.Module):
    def __init__(self, width, drop=0.0):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(30, width), nn.ReLU(), nn.Dropout(drop), nn.Linear(width, 1))

    def forward(self, x):
        return self.layers(x).squeeze(-1)


path = os.path.join(tempfile.mkdtemp(), "teacher.pt")
net = Net(128, 0.3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for _ in range(8):
    for xb, yb in train_iter:
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(xb), yb).backward()
        optimizer.step()
torch.save({"model": net.state_dict(), "width": 128}, path)
del net

# ------------------------------------------------------------------
checkpoint = torch.load(path, weights_only=True)
teacher = Net(checkpoint["width"], 0.3)
teacher.load_state_dict(checkpoint["model"])
teacher.eval()
for p in teacher.parameters():
    p.requires_grad_(False)

student = Net(4)
optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)
bce = nn.BCEWithLogitsLoss()


def score(model):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for xb, yb in test_iter:
            right += ((model(xb) > 0).float() == yb).sum().item()
            total += len(yb)
    return right / total


for epoch in range(1, 11):
    student.train()
    loss_sum = n = 0
    for xb, yb in train_iter:
        with torch.no_grad():
            target = torch.sigmoid(teacher(xb))
        loss = 0.5 * bce(student(xb), target) + 0.5 * bce(student(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(xb)
        n += len(xb)
    print("epoch {:2d} loss {:.4f} test accuracy {:.4f}".format(epoch, loss_sum / n, score(student)))
print("teacher test accuracy {:.4f}".format(score(teacher)))
