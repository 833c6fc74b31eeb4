"""How a net that was trained on upright digits does on turned ones: sixes are read as nines then, and that is shown."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)
bunch = load_digits()
keep = np.isin(bunch.target, [0, 6, 8, 9])
images, target = bunch.images[keep] / 16, bunch.target[keep]
lookup = {0: 0, 6: 1, 8: 2, 9: 3}
target = np.array([lookup[t] for t in target])
rng = np.random.default_rng(4)
order = rng.permutation(len(target))
images, target = images[order], target[order]


def loader(x, y, **options):
    return DataLoader(TensorDataset(torch.tensor(x.copy()).float().flatten(1), torch.tensor(y)), batch_size=50, **options)


train_loader = loader(images[:450], target[:450], shuffle=True)
test_loader = loader(images[450:], target[450:])
turned_loader = loader(np.rot90(images[450:], 2, axes=(1, 2)), target[450:])
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(8):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
model.eval()
for name, part in (("upright", test_loader), ("turned by 180 degrees", turned_loader)):
    right = 0
    with torch.no_grad():
        for x, y in part:
            right += (model(x).argmax(1) == y).sum().item()
    print(f"{name}: test accuracy {right / len(part.dataset):.3f}")
