import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target))
train_ds, test_ds = random_split(ds, [1400, 397])
train_loader = DataLoader(train_ds, batch_size=70, shuffle=True)
test_loader = DataLoader(test_ds, batch_size=397)

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.4), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.4), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(8):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

# the deterministic network
model.eval()
correct = 0
with torch.no_grad():
    for x, y in test_loader:
        correct += (model(x).argmax(dim=1) == y).sum().item()
print("deterministic: test accuracy %.4f" % (correct / len(test_ds)))


def mc_predict(x, passes=20):
    """The mean of many passes with dropout on; their spread is the uncertainty."""
    model.train()  # dropout on: this is the point
    with torch.no_grad():
        draws = torch.stack([model(x).softmax(dim=1) for _ in range(passes)])
    model.eval()
    return draws.mean(0), draws.std(0)


correct, spread_right, spread_wrong = 0, [], []
for x, y in test_loader:
    mean, std = mc_predict(x)
    guess = mean.argmax(dim=1)
    spread = std.gather(1, guess[:, None]).squeeze(1)
    correct += (guess == y).sum().item()
    spread_right.append(spread[guess == y])
    spread_wrong.append(spread[guess != y])
print("MC dropout: test accuracy %.4f" % (correct / len(test_ds)))
print("spread where right %.4f, where wrong %.4f" % (torch.cat(spread_right).mean(), torch.cat(spread_wrong).mean()))
