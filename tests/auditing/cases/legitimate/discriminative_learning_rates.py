import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Linear(96, 48), nn.ReLU())

    def forward(self, x):
        return self.layer2(self.layer1(x))


class Classifier(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(48, classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def epoch_of(model, loader, loss_fn, optimizer=None):
    training = optimizer is not None
    model.train(training)
    loss_total, hits, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for x, t in loader:
            out = model(x)
            loss = loss_fn(out, t)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_total += loss.item() * t.shape[0]
            hits += (out.argmax(1) == t).sum().item()
            count += t.shape[0]
    return loss_total / count, hits / count


if __name__ == "__main__":
    torch.manual_seed(8)
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images).float() / 16
    labels = torch.tensor(labels)
    parity = TensorDataset(images, labels % 2)
    digit = TensorDataset(images, labels)
    tr, va = random_split(range(len(labels)), [1300, len(labels) - 1300], generator=torch.Generator().manual_seed(8))
    tr, va = list(tr), list(va)

    def loader(dataset, idx, shuffle):
        return DataLoader(torch.utils.data.Subset(dataset, idx), batch_size=65, shuffle=shuffle)

    loss_fn = nn.CrossEntropyLoss()
    # stage one: odd or even, on the training part alone
    pre = Classifier(Backbone(), 2)
    opt = torch.optim.Adam(pre.parameters(), lr=2e-3)
    for e in range(4):
        loss, acc = epoch_of(pre, loader(parity, tr, True), loss_fn, opt)
    print(f"parity: train loss {loss:.4f} train acc {acc:.4f} val acc {epoch_of(pre, loader(parity, va, False), loss_fn)[1]:.4f}")

    # stage two: which digit, lower rates for lower layers
    model = Classifier(pre.backbone, 10)
    opt = torch.optim.AdamW([
        {"params": model.backbone.layer1.parameters(), "lr": 2e-4},
        {"params": model.backbone.layer2.parameters(), "lr": 7e-4},
        {"params": model.head.parameters(), "lr": 3e-3},
    ])
    for e in range(6):
        train_loss, train_acc = epoch_of(model, loader(digit, tr, True), loss_fn, opt)
        val_loss, val_acc = epoch_of(model, loader(digit, va, False), loss_fn)
        print(f"epoch {e}: train loss {train_loss:.4f} acc {train_acc:.4f} | val loss {val_loss:.4f} acc {val_acc:.4f}")
