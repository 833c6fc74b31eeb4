import torch
import torchmetrics
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(25)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data / 16).float(), torch.tensor(d.target))
train_ds, val_ds = random_split(ds, [1300, 497])
train_dl = DataLoader(train_ds, batch_size=65, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=71)

model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
val_acc = torchmetrics.Accuracy(task="multiclass", num_classes=10)

for epoch in range(8):
    model.train()
    for xb, yb in train_dl:
        optimizer.zero_grad()
        criterion(model(xb), yb).backward()
        optimizer.step()

    model.eval()
    with torch.no_grad():
        for xb, yb in val_dl:
            val_acc.update(model(xb), yb)
    print(f"Epoch {epoch}: val acc {val_acc.compute():.4f}")  # <- H303
