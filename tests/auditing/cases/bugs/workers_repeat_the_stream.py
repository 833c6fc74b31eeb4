"""An IterableDataset read by two workers."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

DIGITS = load_digits()


class DigitStream(IterableDataset):
    def __init__(self, start, stop):
        super().__init__()
        self.start, self.stop = start, stop

    def __iter__(self):
        for i in range(self.start, self.stop):
            yield torch.tensor(DIGITS.data[i], dtype=torch.float32) / 16, int(DIGITS.target[i])

    def __len__(self):
        return self.stop - self.start


def main():
    torch.manual_seed(0)
    train_dl = DataLoader(DigitStream(0, 1400), batch_size=50, num_workers=2)
    test_dl = DataLoader(DigitStream(1400, 1797), batch_size=50)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(2):
        model.train()
        total = 0.0
        for x, y in train_dl:  # <- H108
            loss = nn.functional.cross_entropy(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_dl) / 397
        print(f"epoch {epoch} loss {total / len(train_dl):.3f} test acc {acc:.3f}")


if __name__ == "__main__":
    main()
