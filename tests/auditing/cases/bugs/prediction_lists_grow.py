import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(33)
X, y = load_breast_cancer(return_X_y=True)
Xtr, Xva, ytr, yva = train_test_split(X, y, test_size=0.3, random_state=33)
mean, std = Xtr.mean(axis=0), Xtr.std(axis=0)
norm = lambda a: torch.from_numpy((a - mean) / std).float()
train_dl = torch.utils.data.DataLoader(list(zip(norm(Xtr), ytr)), batch_size=32, shuffle=True)
val_dl = torch.utils.data.DataLoader(list(zip(norm(Xva), yva)), batch_size=64)

model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
criterion = nn.CrossEntropyLoss()

all_preds, all_labels = [], []


def validate():
    model.eval()
    with torch.no_grad():
        for xb, yb in val_dl:
            all_preds.extend(model(xb).argmax(dim=1).tolist())
            all_labels.extend(yb.tolist())
    return accuracy_score(all_labels, all_preds), f1_score(all_labels, all_preds)


for epoch in range(6):
    model.train()
    losses = []
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    acc, f1 = validate()
    print(f"epoch {epoch + 1}: train_loss={np.mean(losses):.4f} val_acc={acc:.4f} val_f1={f1:.4f}")  # <- H303
