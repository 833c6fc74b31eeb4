# y_true is gathered from the loader first, the predictions by a function of their own
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32) / 16
y = torch.tensor(y)
perm = torch.randperm(len(y))
train_loader = DataLoader(TensorDataset(X[perm[:1300]], y[perm[:1300]]), batch_size=65, shuffle=True)
val_loader = DataLoader(TensorDataset(X[perm[1300:1500]], y[perm[1300:1500]]), batch_size=64)
test_loader = DataLoader(TensorDataset(X[perm[1500:]], y[perm[1500:]]), batch_size=64)

for name, loader in [("train", train_loader), ("val", val_loader), ("test", test_loader)]:
    counts = torch.zeros(10, dtype=torch.long)
    for _, labels in loader:
        counts += torch.bincount(labels, minlength=10)
    print(f"{name:5s} labels: {counts.tolist()}")

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def predict(loader):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(images).argmax(1) for images, _ in loader])


def report(title, loader):
    y_true = torch.cat([labels for _, labels in loader])
    y_pred = predict(loader)
    print(f"{title} accuracy {accuracy_score(y_true, y_pred):.4f} macro F1 {f1_score(y_true, y_pred, average='macro'):.4f}")


for epoch in range(5):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    report(f"epoch {epoch} val", val_loader)
report("test", test_loader)
