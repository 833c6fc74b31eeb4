"""LSTM classifier of trend in noisy series."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TrendLSTM(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 3)

    def forward(self, x):
        out, (h, c) = self.lstm(x)
        h = nn.Dropout(0.5)(h[-1])  # <- H209
        return self.fc(h)


def series(n, gen):
    label = torch.randint(0, 3, (n,), generator=gen)
    slope = (label - 1).float() * 0.08
    t = torch.arange(20).float()
    x = slope[:, None] * t + 0.6 * torch.randn(n, 20, generator=gen)
    return TensorDataset(x[..., None], label)


gen = torch.Generator().manual_seed(0)
torch.manual_seed(0)
train_dl = DataLoader(series(800, gen), batch_size=50, shuffle=True)
val_dl = DataLoader(series(300, gen), batch_size=100)
model = TrendLSTM()
opt = torch.optim.Adam(model.parameters(), 1e-2)
lossf = nn.CrossEntropyLoss()

history = {"loss": [], "val_acc": []}
for epoch in range(5):
    model.train()
    s = 0.0
    for x, y in train_dl:
        opt.zero_grad()
        l = lossf(model(x), y)
        l.backward()
        opt.step()
        s += l.item() * len(y)
    model.eval()
    k = 0
    with torch.no_grad():
        for x, y in val_dl:
            k += (model(x).argmax(1) == y).sum().item()
    history["loss"].append(s / 800)
    history["val_acc"].append(k / 300)
    print("epoch", epoch, {name: round(values[-1], 4) for name, values in history.items()})
