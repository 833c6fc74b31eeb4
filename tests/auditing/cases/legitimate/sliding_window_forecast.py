# One step ahead of a noisy seasonal series; the split is by time, with a gap of one window.
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

WINDOW = 24


class Windows(Dataset):
    def __init__(self, series):
        self.series = torch.as_tensor(series, dtype=torch.float32)

    def __len__(self):
        return len(self.series) - WINDOW

    def __getitem__(self, i):
        return self.series[i:i + WINDOW].unsqueeze(-1), self.series[i + WINDOW].unsqueeze(-1)


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1])


def main():
    np.random.seed(3)
    torch.manual_seed(3)
    t = np.arange(1200)
    series = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 90) + 0.15 * np.random.randn(len(t))
    train, val, test = series[:800], series[800:1000], series[1000:]
    mean, std = train.mean(), train.std()
    train, val, test = [(part - mean) / std for part in (train, val, test)]
    train_loader = DataLoader(Windows(train), batch_size=64, shuffle=True)
    val_loader = DataLoader(Windows(val), batch_size=64)
    test_loader = DataLoader(Windows(test), batch_size=64)

    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    mse = nn.MSELoss()

    def error(loader):
        model.eval()
        se = n = 0
        with torch.no_grad():
            for x, y in loader:
                se += ((model(x) - y) ** 2).sum().item()
                n += y.numel()
        return (se / n) ** 0.5 * std

    for epoch in range(6):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = mse(model(x), y)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: val RMSE {error(val_loader):.4f}")

    naive = np.sqrt(np.mean((test[WINDOW:] - test[WINDOW - 1:-1]) ** 2)) * std
    print(f"test RMSE {error(test_loader):.4f}  (last value repeated: {naive:.4f})")


if __name__ == "__main__":
    main()
