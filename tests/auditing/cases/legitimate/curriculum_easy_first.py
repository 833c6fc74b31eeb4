"""Curriculum: the first two epochs see the training rows from easy to hard, on purpose; then shuffled."""
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(4)
x, y = load_digits(return_X_y=True)
perm = torch.randperm(len(y)).numpy()
x, y = x[perm] / 16, y[perm]
n_train = 1300

teacher = LogisticRegression(max_iter=200, C=0.01).fit(x[:n_train], y[:n_train])
difficulty = -teacher.predict_log_proba(x[:n_train])[range(n_train), y[:n_train]]
easy_first = difficulty.argsort().tolist()

data = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
ordered_loader = DataLoader(Subset(data, easy_first), batch_size=50, shuffle=False)
shuffled_loader = DataLoader(Subset(data, list(range(n_train))), batch_size=50, shuffle=True)
val_loader = DataLoader(Subset(data, list(range(n_train, len(y)))), batch_size=100)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(6):
    loader = ordered_loader if epoch < 2 else shuffled_loader
    model.train()
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss_fn(model(inputs), targets).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        correct = sum((model(inputs).argmax(1) == targets).sum().item() for inputs, targets in val_loader)
    print(f"epoch {epoch} ({'easy first' if epoch < 2 else 'shuffled'}): val accuracy {correct / (len(y) - n_train):.4f}")
