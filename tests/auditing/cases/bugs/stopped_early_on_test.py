"""Sequence tagging stand-in: parity-ish labels of short sequences, LSTM with early stopping."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(66)


class EarlyStopping:
    def __init__(self, patience=3):
        self.patience, self.best, self.bad = patience, float("inf"), 0
        self.weights = None

    def step(self, loss, model):
        if loss < self.best:
            self.best, self.bad = loss, 0
            self.weights = copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 8)
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.out = nn.Linear(32, 2)

    def forward(self, x):
        h, _ = self.lstm(self.emb(x))
        return self.out(h[:, -1])


tokens = torch.randint(0, 10, (900, 8))
label = ((tokens > 5).sum(1) > 3).long()
flip = torch.rand(900) < 0.12
label = torch.where(flip, 1 - label, label)
train_dl = DataLoader(TensorDataset(tokens[:500], label[:500]), batch_size=25, shuffle=True)
test_dl = DataLoader(TensorDataset(tokens[500:], label[500:]), batch_size=100)

model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
stopper = EarlyStopping(patience=3)


def evaluate():
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for x, y in test_dl:
            out = model(x)
            loss += nn.functional.cross_entropy(out, y, reduction="sum").item()
            correct += (out.argmax(1) == y).sum().item()
    return loss / len(test_dl.dataset), correct / len(test_dl.dataset)


for epoch in range(15):
    model.train()
    for x, y in train_dl:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    test_loss, test_acc = evaluate()
    print(f"epoch {epoch:2d} test loss {test_loss:.4f} test acc {test_acc:.4f}")
    if stopper.step(test_loss, model):  # <- H405
        print("early stopping")
        break

model.load_state_dict(stopper.weights)  # also H405
print(f"test accuracy {evaluate()[1]:.4f}")
