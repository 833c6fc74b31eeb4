import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


def make_data(n, gen):
    x = torch.randn(n, 20, generator=gen)
    y = ((x[:, :5].sum(1) + x[:, 5] * x[:, 6] + torch.randn(n, generator=gen)) > 0).long()
    return TensorDataset(x, y)


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    correct = total = 0
    loss_sum = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        out = model(x)
        loss = criterion(out, y)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * y.numel()
        correct += out.argmax(1).eq(y).sum().item()
        total += y.numel()
    return loss_sum / total, correct / total


@torch.no_grad()
def eval_epoch(model, loader, criterion):
    model.eval()
    correct = total = 0
    loss_sum = 0.0
    for x, y in loader:
        out = model(x)
        loss_sum += criterion(out, y).item() * y.numel()
        correct += out.argmax(1).eq(y).sum().item()
        total += y.numel()
    return loss_sum / total, correct / total


def main():
    torch.manual_seed(40)
    gen = torch.Generator().manual_seed(40)
    train_loader = DataLoader(make_data(700, gen), batch_size=35, shuffle=True)
    val_loader = DataLoader(make_data(300, gen), batch_size=100)
    model = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 2))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    best = 0.0
    for epoch in range(10):
        train_loss, train_acc = train_epoch(model, train_loader, criterion, optimizer)
        val_loss, val_acc = eval_epoch(model, val_loader, criterion)
        best = max(best, val_acc)
        print(  # <- H305
            f"epoch {epoch:2d} "
            f"train_loss {train_loss:.3f} train_acc {train_acc:.3f} "
            f"val_loss {val_loss:.3f} val_acc {train_acc:.3f}"
        )


main()
