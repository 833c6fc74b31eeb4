"""Tiny training scripts that print numbers, each with one fault, which its name tells.

Each is put behind `BEGINNING`, which makes data with noise, so that accuracies differ from epoch to epoch.
"""

BEGINNING = """
import logging, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset

torch.manual_seed(3)


def task(n, seed, k=3):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(k, 8, generator=torch.Generator().manual_seed(5))
    y = torch.randint(0, k, (n,), generator=g)
    return TensorDataset(0.6 * centres[y] + torch.randn(n, 8, generator=g), y)


def net(k=3):
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, k))


train_set, val_set, test_set = task(210, 1), task(97, 2), task(97, 4)
train_loader = DataLoader(train_set, 32, shuffle=True)
val_loader, test_loader = DataLoader(val_set, 40), DataLoader(test_set, 40)
model = net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train_epoch(model=model, optimizer=optimizer, loader=train_loader):
    model.train()
    right = total = 0
    for x, y in loader:
        optimizer.zero_grad()
        out = model(x)
        F.cross_entropy(out, y).backward()
        optimizer.step()
        right += (out.argmax(1) == y).sum().item()
        total += len(y)
    return right / total


def evaluate(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    return right / total


"""

BAD = {
    "H302_constant": """
def accuracy(loader):
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return right / (40 * 3)
for epoch in range(3):
    train_epoch()
    print(f"epoch {epoch} val_acc {accuracy(val_loader):.4f}")
""",
    "H302_another_data_set": """
for epoch in range(3):
    train_epoch()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
    print(f"epoch {epoch} val accuracy: {100 * right / len(train_set):.2f}%")
""",
    "H302_number_of_batches": """
for epoch in range(3):
    train_epoch()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
    print(f"epoch {epoch} val accuracy: {right / len(val_loader):.3f}")
""",
    "H303_both_counters": """
right = total = 0
for epoch in range(4):
    train_epoch()
    with torch.no_grad():
        for x, y in val_loader:
            right += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    print(f"epoch {epoch} val_acc {right / total:.4f}")
""",
    "H303_right_answers_alone": """
right = 0
for epoch in range(4):
    train_epoch()
    with torch.no_grad():
        for x, y in val_loader:
            right += (model(x).argmax(1) == y).sum().item()
    print(f"epoch {epoch} val acc {right / len(val_set):.4f}")
""",
    "H303_collected_answers": """
answers, labels = [], []
for epoch in range(4):
    train_epoch()
    with torch.no_grad():
        for x, y in val_loader:
            answers += model(x).argmax(1).tolist()
            labels += y.tolist()
    acc = sum(a == b for a, b in zip(answers, labels)) / len(labels)
    print(f"epoch {epoch} validation accuracy {acc:.2%}")
""",
    "H303_losses": """
loss_sum = 0.0
for epoch in range(4):
    train_epoch()
    with torch.no_grad():
        for x, y in val_loader:
            loss_sum += F.cross_entropy(model(x), y).item()
    print(f"epoch {epoch} val loss {loss_sum / len(val_loader):.4f}")
""",
    "H304_accuracy": """
for epoch in range(3):
    train_epoch()
    with torch.no_grad():
        accs = [(model(x).argmax(1) == y).float().mean().item() for x, y in val_loader]
    print(f"epoch {epoch} val_acc {sum(accs) / len(accs):.4f}")
""",
    "H305_wrong_variable": """
for epoch in range(4):
    train_acc = train_epoch()
    val_acc = evaluate(model, val_loader)
    print(f"epoch {epoch} val_acc {train_acc:.4f}")
""",
    "H305_at_the_end": """
for epoch in range(4):
    acc = train_epoch()
    val_acc = evaluate(model, val_loader)
print(f"test accuracy {acc:.4f}")
""",
    "H305_best_of_training": """
best = 0
for epoch in range(4):
    best = max(best, train_epoch())
    print(f"epoch {epoch} val_acc {evaluate(model, val_loader):.4f}")
torch.manual_seed(1)
train_epoch()
print(f"final val accuracy {100 * best:.3f}%")
""",
    "H306_best_validation_as_test": """
best = 0
for epoch in range(4):
    train_epoch()
    best = max(best, evaluate(model, val_loader))
    print(f"epoch {epoch} val_acc {evaluate(model, val_loader):.4f}")
evaluate(model, test_loader)
print(f"test_acc {best:.4f}")
""",
    "H302_batches_times_size": """
def accuracy(loader):
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / (len(loader) * loader.batch_size)
for epoch in range(3):
    train_epoch()
    print(f"epoch {epoch} val_acc {accuracy(val_loader):.4f}")
""",
    "H302_dropped_batch": """
loader = DataLoader(train_set, 32, shuffle=True, drop_last=True)
for epoch in range(4):
    right = 0
    for x, y in loader:
        out = model(x)
        optimizer.zero_grad()
        F.cross_entropy(out, y).backward()
        optimizer.step()
        right += (out.argmax(1) == y).sum().item()
    print(f"Epoch {epoch}: train accuracy = {right / len(loader.dataset):.4f}, val {evaluate(model, val_loader):.4f}")
""",
    "H305_training_loader": """
for epoch in range(3):
    train_epoch()
    print(f"epoch {epoch} val_acc {evaluate(model, val_loader):.4f}")
print(f"test accuracy {evaluate(model, train_loader):.4f}")
""",
    "H306_other_variable": """
for epoch in range(3):
    train_epoch()
    val_acc, test_acc = evaluate(model, val_loader), evaluate(model, test_loader)
    print(f"epoch {epoch} val_acc {test_acc:.4f}")
""",
    "H306_two_names": """
for epoch in range(3):
    train_epoch()
    print(f"epoch {epoch} val_acc {evaluate(model, val_loader):.4f}")
print(f"test_acc {evaluate(model, val_loader):.4f}")
""",
    "H306_labels_of_another": """
def answers(loader):
    with torch.no_grad():
        return torch.cat([model(x).argmax(1) for x, _ in loader])
for epoch in range(3):
    train_epoch()
val_answers, test_answers = answers(val_loader), answers(test_loader)
print(f"val accuracy {(val_answers == val_set.tensors[1]).float().mean():.4f}")
print(f"test accuracy {(val_answers == test_set.tensors[1]).float().mean():.4f}")
""",
    "H307_wrong_axis": """
def odd(loader):
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmin(1) == y).sum().item()
            total += len(y)
    return right / total
for epoch in range(5):
    train_epoch()
    print(f"epoch {epoch} val_acc {odd(val_loader):.4f}")
""",
    "H307_broadcast": """
for epoch in range(4):
    train_epoch()
    right = total = 0
    with torch.no_grad():
        for x, y in val_loader:
            right += (model(x).argmax(1, keepdim=True) == y).sum().item()
            total += len(y)
    print(f"epoch {epoch} val_acc {right / total:.4f}")
""",
}
