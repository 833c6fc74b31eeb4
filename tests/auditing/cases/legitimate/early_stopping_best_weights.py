"""Early stopping on validation loss, best weights restored, one look at the test set."""
import copy

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class EarlyStopping:
    def __init__(self, patience=5, delta=0.0):
        self.patience = patience
        self.delta = delta
        self.best = None
        self.bad = 0
        self.state = None

    def __call__(self, loss, model):
        if self.best is None or loss < self.best - self.delta:
            self.best, self.bad = loss, 0
            self.state = copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


def evaluate(model, loader, criterion):
    model.eval()
    loss_sum = hits = seen = 0
    with torch.inference_mode():
        for inputs, labels in loader:
            logits = model(inputs)
            loss_sum += criterion(logits, labels).item() * labels.size(0)
            hits += (logits.argmax(dim=-1) == labels).sum().item()
            seen += labels.size(0)
    return loss_sum / seen, hits / seen


def main():
    torch.manual_seed(7)
    data, target = load_wine(return_X_y=True)
    data = torch.tensor(data, dtype=torch.float32)
    target = torch.tensor(target)
    generator = torch.Generator().manual_seed(7)
    train_idx, val_idx, test_idx = random_split(range(len(target)), [106, 36, 36], generator=generator)
    train_idx, val_idx, test_idx = list(train_idx), list(val_idx), list(test_idx)
    mean, std = data[train_idx].mean(0), data[train_idx].std(0)
    data = (data - mean) / std

    train_loader = DataLoader(TensorDataset(data[train_idx], target[train_idx]), batch_size=16, shuffle=True)
    val_loader = DataLoader(TensorDataset(data[val_idx], target[val_idx]), batch_size=36)
    test_loader = DataLoader(TensorDataset(data[test_idx], target[test_idx]), batch_size=36)

    model = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    stopper = EarlyStopping(patience=4)

    for epoch in range(60):
        model.train()
        running = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running += loss.item() * inputs.size(0)
        val_loss, val_acc = evaluate(model, val_loader, criterion)
        print(f"epoch {epoch:02d} train loss {running / len(train_idx):.4f} val loss {val_loss:.4f} val acc {val_acc:.3f}")
        if stopper(val_loss, model):
            print("early stop")
            break

    model.load_state_dict(stopper.state)
    test_loss, test_acc = evaluate(model, test_loader, criterion)
    print(f"best val loss {stopper.best:.4f} | test loss {test_loss:.4f} | test accuracy {test_acc:.3f}")


if __name__ == "__main__":
    main()
