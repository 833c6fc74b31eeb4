import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(15)
X, y = load_digits(return_X_y=True)
keep = y < 4
X, y = torch.tensor(X[keep] / 16, dtype=torch.float32), torch.tensor(y[keep])
p = torch.randperm(len(y))
X, y = X[p], y[p]
train = DataLoader(TensorDataset(X[:350], y[:350]), batch_size=35, shuffle=True)
test = DataLoader(TensorDataset(X[350:], y[350:]), batch_size=64)

model = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(6):
    model.train()
    for x, t in train:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), t).backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    for x, t in test:
        pred = model(x).argmax(1)

cm = confusion_matrix(t, pred, labels=[0, 1, 2, 3])
print("confusion matrix on the test set:")
print(cm)
print("test accuracy: %.4f" % (np.trace(cm) / cm.sum()))  # <- H307
