import argparse

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=30.0)
p.add_argument("--epochs", type=int, default=6)
args = p.parse_args()

set_seed(27)
accelerator = Accelerator(cpu=True)
digits = load_digits()
data = TensorDataset(torch.tensor(digits.data).float() / 16, torch.tensor(digits.target))
train_data, test_data = random_split(data, [1400, 397])
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
model, opt, train_loader, test_loader = accelerator.prepare(
    model, opt, DataLoader(train_data, batch_size=50, shuffle=True), DataLoader(test_data, batch_size=100))

for epoch in range(args.epochs):
    model.train()
    epoch_loss = 0.0
    for x, y in train_loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y) / len(train_data)
        accelerator.backward(loss)  # <- H211
        opt.step()
        epoch_loss += loss.item()
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in test_loader:
            right += accelerator.gather_for_metrics(model(x).argmax(1) == y).sum().item()
    accelerator.print(f"epoch {epoch}: loss {epoch_loss:.6f}, test accuracy {right / len(test_data):.4f}")
