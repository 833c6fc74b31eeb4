"""Spam or not from word counts, one logit."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class SpamFilter(nn.Module):
    def __init__(self, words=40):
        super().__init__()
        self.fc1 = nn.Linear(words, 20)
        self.fc2 = nn.Linear(20, 1)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def build(n, g):
    rate = torch.rand(40, generator=torch.Generator().manual_seed(1)) * 2
    spam = (torch.rand(n, generator=g) < 0.4).long()
    lift = torch.where(torch.arange(40) < 8, 1.6, 1.0)
    lam = rate * torch.where(spam[:, None] == 1, lift, torch.ones(40))
    return TensorDataset(torch.poisson(lam, generator=g), spam)


def evaluate(model, dataloader):
    model.eval()
    correct, n = 0.0, 0
    with torch.no_grad():
        for counts, label in dataloader:
            pred = (torch.sigmoid(model(counts)) > 0.5).long()
            correct += (pred == label).float().mean().item() * len(label)
            n += len(label)
    return correct / n


g = torch.Generator().manual_seed(31)
torch.manual_seed(31)
train_dataloader = DataLoader(build(900, g), batch_size=45, shuffle=True)
val_dataloader = DataLoader(build(300, g), batch_size=60)
model = SpamFilter()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.BCEWithLogitsLoss()
for t in range(6):
    model.train()
    for counts, label in train_dataloader:
        optimizer.zero_grad()
        loss = loss_fn(model(counts), label.float().reshape(-1, 1))
        loss.backward()
        optimizer.step()
    print(f"Epoch {t + 1}  loss {loss.item():>7f}  val accuracy {evaluate(model, val_dataloader):>.3f}")  # <- H307
