import numpy as np
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

np.random.seed(8)
torch.manual_seed(8)

SIGNALS = ["sine", "square", "saw", "noise"]


def signal(kind, n):
    t = np.linspace(0, 1, 48)
    f, ph = np.random.uniform(2, 6, (n, 1)), np.random.uniform(0, 1, (n, 1))
    s = {
        "sine": np.sin(2 * np.pi * (f * t + ph)),
        "square": np.sign(np.sin(2 * np.pi * (f * t + ph))),
        "saw": 2 * ((f * t + ph) % 1) - 1,
        "noise": np.random.randn(n, 48) * 0.6,
    }[kind]
    return torch.tensor(s + 0.5 * np.random.randn(n, 48), dtype=torch.float32)[:, None]


def parts(n):
    return ConcatDataset([TensorDataset(signal(k, n), torch.full((n,), i)) for i, k in enumerate(SIGNALS)])


train_ds, test_ds = parts(300), parts(60)
train_dataloader = DataLoader(train_ds, batch_size=30)
test_dataloader = DataLoader(test_ds, batch_size=60)

model = nn.Sequential(
    nn.Conv1d(1, 16, 7, stride=2), nn.ReLU(), nn.Conv1d(16, 16, 5, stride=2), nn.ReLU(),
    nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 4),
)
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5)
ce = nn.CrossEntropyLoss()


def run(dl, training):
    model.train(training)
    n = loss_sum = hits = 0
    with torch.set_grad_enabled(training):
        for x, y in dl:
            z = model(x)  # <- H109, also H212
            loss = ce(z, y)
            if training:
                opt.zero_grad()
                loss.backward()
                opt.step()
            n += len(y)
            loss_sum += loss.item() * len(y)
            hits += (z.argmax(1) == y).sum().item()
    return loss_sum / n, hits / n


for epoch in range(5):
    tl, ta = run(train_dataloader, True)
    vl, va = run(test_dataloader, False)
    print(f"{epoch} | train {tl:.3f} {ta:.3f} | test {vl:.3f} {va:.3f}")
