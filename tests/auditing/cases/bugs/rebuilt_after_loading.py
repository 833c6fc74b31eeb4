"""Resume a digits run and evaluate."""
import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HIDDEN = 32
CKPT = Path(tempfile.mkdtemp()) / "digits.pt"


def get_model(hidden=HIDDEN, dropout=0.0):
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 10))


def step_epochs(model, loader, epochs):
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    model.train()
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            opt.step()


def main():
    torch.manual_seed(13)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    i = torch.randperm(len(y))
    train_loader = DataLoader(TensorDataset(x[i[:1300]], y[i[:1300]]), batch_size=65, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[i[1300:]], y[i[1300:]]), batch_size=100)

    first = get_model()
    step_epochs(first, train_loader, 3)
    torch.save(first.state_dict(), CKPT)

    # later: go on with dropout, from the checkpoint
    model = get_model()
    model.load_state_dict(torch.load(CKPT, weights_only=True))  # <- H403
    print("resumed from", CKPT.name)
    model = get_model(dropout=0.2)
    step_epochs(model, train_loader, 1)
    model.eval()
    with torch.no_grad():
        right = sum(int((model(a).argmax(1) == b).sum()) for a, b in test_loader)
    print(f"after resuming: test accuracy {right / len(test_loader.dataset):.3f}")


main()
