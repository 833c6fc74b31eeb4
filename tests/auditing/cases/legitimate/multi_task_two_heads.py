"""Digit and parity at once, two heads, two losses, losses weighed by learned uncertainty (Kendall et al.)."""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, random_split


class DigitsTwoTasks(Dataset):
    def __init__(self):
        d = load_digits()
        self.x = torch.from_numpy(d.images).float().unsqueeze(1) / 16
        self.digit = torch.from_numpy(d.target).long()
        self.ink = self.x.mean(dim=(1, 2, 3))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"image": self.x[i], "digit": self.digit[i], "ink": self.ink[i]}


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                                   nn.Flatten(), nn.Linear(128, 64), nn.ReLU())
        self.cls = nn.Linear(64, 10)
        self.reg = nn.Linear(64, 1)
        self.log_var = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        h = self.trunk(x)
        return self.cls(h), self.reg(h).squeeze(-1)


class AverageMeter:
    def __init__(self):
        self.reset()

    def reset(self):
        self.sum = self.count = 0.0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


def main():
    torch.manual_seed(17)
    data = DigitsTwoTasks()
    train, val = random_split(data, [1437, 360], generator=torch.Generator().manual_seed(17))
    train_loader = DataLoader(train, batch_size=64, shuffle=True)
    val_loader = DataLoader(val, batch_size=64)
    model = TwoHeads()
    optimizer = torch.optim.Adam(
        [
            {"params": model.trunk.parameters(), "lr": 1e-3},
            {"params": [*model.cls.parameters(), *model.reg.parameters(), model.log_var], "lr": 3e-3},
        ]
    )
    ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()
    for epoch in range(5):
        model.train()
        meters = {k: AverageMeter() for k in ("loss", "ce", "mse")}
        for batch in train_loader:
            logits, ink = model(batch["image"])
            l1, l2 = ce(logits, batch["digit"]), mse(ink, batch["ink"])
            s = model.log_var
            loss = (-s[0]).exp() * l1 + s[0] + (-s[1]).exp() * l2 + s[1]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            n = len(logits)
            meters["loss"].update(loss.item(), n)
            meters["ce"].update(l1.item(), n)
            meters["mse"].update(l2.item(), n)
        model.eval()
        acc, err = AverageMeter(), AverageMeter()
        with torch.no_grad():
            for batch in val_loader:
                logits, ink = model(batch["image"])
                acc.update((logits.argmax(1) == batch["digit"]).float().mean().item(), len(logits))
                err.update((ink - batch["ink"]).abs().mean().item(), len(ink))
        print(f"Epoch {epoch}: " + " ".join(f"{k}={m.avg:.4f}" for k, m in meters.items())
              + f" | val_acc={acc.avg:.4f} val_mae={err.avg:.4f}")


if __name__ == "__main__":
    main()
