"""Online learning: every batch of the stream is predicted first and learned from afterwards."""
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class DriftingStream(IterableDataset):
    """Two gaussians whose centres wander; every sample is new."""

    def __init__(self, n, seed):
        self.n, self.seed = n, seed

    def __iter__(self):
        g = torch.Generator().manual_seed(self.seed)
        for i in range(self.n):
            label = torch.randint(0, 2, (), generator=g)
            angle = torch.tensor(3.0 * i / self.n)
            centre = torch.stack([angle.cos(), angle.sin()]) * (2 * label - 1)
            yield centre + 0.6 * torch.randn(2, generator=g), label


def main():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    correct = seen = 0
    window = []
    for step, (x, y) in enumerate(DataLoader(DriftingStream(4000, seed=3), batch_size=20), start=1):
        # test ...
        model.eval()
        with torch.no_grad():
            hits = (model(x).argmax(1) == y).sum().item()
        correct += hits
        seen += len(y)
        window = (window + [hits / len(y)])[-20:]
        # ... then train
        model.train()
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 40 == 0:
            print(f"{seen} samples: prequential accuracy {correct / seen:.4f}, last 20 batches {sum(window) / len(window):.4f}")


if __name__ == "__main__":
    main()
