# Which learning rate? Chosen on validation, a fresh model each, the test set looked at once.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

data = load_digits()
ds = TensorDataset(torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target))
train_ds, val_ds, test_ds = random_split(ds, [1100, 347, 350], torch.Generator().manual_seed(99))


def make_model():
    return nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))


def evaluate(model, dataset):
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in DataLoader(dataset, batch_size=175):
            correct += (model(x).argmax(1) == y).sum().item()
    return correct / len(dataset)


def train(lr, epochs=4):
    torch.manual_seed(0)
    model = make_model()
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    dl = DataLoader(train_ds, batch_size=55, shuffle=True)
    model.train()
    for _ in range(epochs):
        for x, y in dl:
            opt.zero_grad()
            loss_fn(model(x), y).backward()
            opt.step()
    return model


results = {}
best_acc, best_lr, best_model = 0.0, None, None
for lr in [0.3, 0.1, 0.03, 0.01]:
    model = train(lr)
    results[lr] = evaluate(model, val_ds)
    print(f"lr={lr:<5} val_acc={results[lr]:.4f}")
    if results[lr] > best_acc:
        best_acc, best_lr, best_model = results[lr], lr, model
print(f"best lr {best_lr}: val_acc={best_acc:.4f} test_acc={evaluate(best_model, test_ds):.4f}")
