import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)
g = torch.Generator().manual_seed(21)

# two kinds of 8x8 pictures: a bright square above, or below the middle
imgs = torch.rand(900, 1, 8, 8, generator=g) * 0.6
kind = torch.randint(0, 2, (900,), generator=g)
for i, k in enumerate(kind.tolist()):
    c = int(torch.randint(0, 6, (1,), generator=g))
    r = 5 if k else 1
    imgs[i, 0, r:r + 2, c:c + 2] += 0.7

tr = DataLoader(TensorDataset(imgs[:700], kind[:700]), batch_size=70, shuffle=True)
te = DataLoader(TensorDataset(imgs[700:], kind[700:]), batch_size=70)

cnn = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(8 * 16, 1),
)
crit = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(cnn.parameters(), lr=3e-3)


def collect(loader):
    cnn.eval()
    outs, ys = [], []
    with torch.no_grad():
        for x, y in loader:
            outs.append(cnn(x))
            ys.append(y)
    return torch.cat(outs), torch.cat(ys)


for epoch in range(4):
    cnn.train()
    for x, y in tr:
        opt.zero_grad()
        l = crit(cnn(x).flatten(), y.float())
        l.backward()
        opt.step()
    outs, ys = collect(te)
    preds = outs.argmax(-1)  # <- H301
    print("epoch", epoch, "test acc", (preds == ys).float().mean().item())
