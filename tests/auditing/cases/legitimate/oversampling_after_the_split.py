# SMOTE-like: points between neighbours of the rare class, from training rows alone.
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

RANDOM_STATE = 0
rng = np.random.default_rng(RANDOM_STATE)
torch.manual_seed(RANDOM_STATE)


def smote(X, y, k=5):
    counts = np.bincount(y)
    rare = int(counts.argmin())
    rows = X[y == rare]
    need = counts.max() - counts.min()
    _, neighbours = NearestNeighbors(n_neighbors=k + 1).fit(rows).kneighbors(rows)
    base = rng.integers(len(rows), size=need)
    other = neighbours[base, rng.integers(1, k + 1, size=need)]
    new = rows[base] + rng.random((need, 1)) * (rows[other] - rows[base])
    return np.vstack([X, new]), np.concatenate([y, np.full(need, rare)])


X, y = load_breast_cancer(return_X_y=True)
keep = np.concatenate([np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:60]])
X, y = X[keep], y[keep]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=RANDOM_STATE)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
X_res, y_res = smote(X_train, y_train)
print("before:", np.bincount(y_train), "after:", np.bincount(y_res))

train_loader = DataLoader(
    TensorDataset(torch.tensor(X_res, dtype=torch.float32), torch.tensor(y_res)), batch_size=32, shuffle=True)
test_loader = DataLoader(TensorDataset(torch.tensor(X_test, dtype=torch.float32), torch.tensor(y_test)), batch_size=32)
model = torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = torch.nn.CrossEntropyLoss()
for epoch in range(15):
    model.train()
    for data, label in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(data), label)
        loss.backward()
        optimizer.step()

y_pred = []
model.eval()
with torch.no_grad():
    for data, label in test_loader:
        y_pred += model(data).argmax(1).tolist()
print(confusion_matrix(y_test, y_pred))
print(classification_report(y_test, y_pred, target_names=["malignant", "benign"]))
