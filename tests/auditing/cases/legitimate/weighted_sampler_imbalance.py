# Rare class drawn more often in training only; the evaluation keeps the natural mix.
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(1)
X, y = make_classification(2000, 20, n_informative=8, weights=[0.93], class_sep=1.2, random_state=1)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
mu, sd = Xtr.mean(0), Xtr.std(0)
Xtr, Xte = (Xtr - mu) / sd, (Xte - mu) / sd

class_count = np.bincount(ytr)
print("class counts:", class_count.tolist())
sample_weights = (1.0 / class_count)[ytr]
sampler = WeightedRandomSampler(torch.as_tensor(sample_weights), num_samples=len(ytr), replacement=True)

train_ds = TensorDataset(torch.tensor(Xtr, dtype=torch.float), torch.tensor(ytr))
test_ds = TensorDataset(torch.tensor(Xte, dtype=torch.float), torch.tensor(yte))
train_loader = DataLoader(train_ds, batch_size=64, sampler=sampler)
test_loader = DataLoader(test_ds, batch_size=128, shuffle=False)

model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(8):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss_fn(model(xb), yb).backward()
        optimizer.step()

    model.eval()
    preds, trues = [], []
    with torch.no_grad():
        for xb, yb in test_loader:
            preds.extend(model(xb).argmax(1).tolist())
            trues.extend(yb.tolist())
    acc = np.mean(np.array(preds) == np.array(trues))
    print(f"Epoch {epoch}: test acc {acc:.4f}, balanced {balanced_accuracy_score(trues, preds):.4f}, F1 {f1_score(trues, preds):.4f}")
print(f"always the larger class: accuracy {np.mean(yte == 0):.4f}")
