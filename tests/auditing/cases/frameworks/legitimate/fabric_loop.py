import torch
import torch.nn as nn
from lightning.fabric import Fabric, seed_everything
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def evaluate(fabric, model, loader):
    model.eval()
    total, hits, loss_sum = 0, 0, 0.0
    with torch.no_grad():
        for x, y in loader:
            logit = model(x).squeeze(1)
            loss_sum += nn.functional.binary_cross_entropy_with_logits(logit, y, reduction="sum").item()
            hits += ((logit > 0).float() == y).sum().item()
            total += y.numel()
    model.train()
    return loss_sum / total, hits / total


def main():
    seed_everything(3)
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()

    X, y = load_breast_cancer(return_X_y=True)
    a, b, ya, yb = train_test_split(X, y, test_size=0.3, random_state=3, stratify=y)
    mean, std = a.mean(0), a.std(0)
    to = lambda X, y: TensorDataset(torch.tensor((X - mean) / std).float(), torch.tensor(y).float())
    train_loader, val_loader = fabric.setup_dataloaders(
        DataLoader(to(a, ya), batch_size=32, shuffle=True), DataLoader(to(b, yb), batch_size=64)
    )
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    model, optimizer = fabric.setup(model, optimizer)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.3)

    for epoch in range(6):
        running = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
            fabric.backward(loss)
            fabric.clip_gradients(model, optimizer, max_norm=5.0)
            optimizer.step()
            running += loss.item() * len(y)
        scheduler.step()
        val_loss, val_acc = evaluate(fabric, model, val_loader)
        fabric.print(f"[{epoch + 1}] train loss {running / len(ya):.4f}  val loss {val_loss:.4f}  val acc {val_acc:.4f}")


if __name__ == "__main__":
    main()
