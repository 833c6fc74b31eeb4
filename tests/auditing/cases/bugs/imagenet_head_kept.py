"""A 'model zoo' net with its 1000 outputs, fine-tuned on ten digits."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_net(num_classes=1000):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(128, num_classes),
    )


def main():
    torch.manual_seed(19)
    d = load_digits()
    x, y = torch.tensor(d.images).float()[:, None] / 16, torch.tensor(d.target)
    train = DataLoader(TensorDataset(x[:1200], y[:1200]), 60, shuffle=True)
    test = DataLoader(TensorDataset(x[1200:], y[1200:]), 200)
    net = make_net()
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    for epoch in range(4):
        net.train()
        for xb, yb in train:
            loss = nn.functional.cross_entropy(net(xb), yb)  # <- H213
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            ok = sum(int((net(xb).argmax(1) == yb).sum()) for xb, yb in test)
        print(f"epoch {epoch}: test acc {ok / len(test.dataset):.3f}")


if __name__ == "__main__":
    main()
