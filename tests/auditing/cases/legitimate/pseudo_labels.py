import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

rng = np.random.RandomState(0)
torch.manual_seed(0)

X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
y = torch.tensor(y)
order = rng.permutation(len(X))
test_i, lab_i, unlab_i = order[:400], order[400:550], order[550:]   # 150 labels only

labelled = TensorDataset(X[lab_i], y[lab_i])
test_loader = DataLoader(TensorDataset(X[test_i], y[test_i]), batch_size=200)
unlabelled_loader = DataLoader(TensorDataset(X[unlab_i]), batch_size=200)

model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.3), nn.Linear(100, 10))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)


def train(dataset, epochs):
    model.train()
    for _ in range(epochs):
        for xb, yb in DataLoader(dataset, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            loss_fn(model(xb), yb).backward()
            optimizer.step()


@torch.no_grad()
def test():
    model.eval()
    right = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test_loader)
    return right / len(test_loader.dataset)


train(labelled, 15)
print(f"labels only: test accuracy {test():.4f}")

for round_ in range(3):
    model.eval()
    images, guesses = [], []
    with torch.no_grad():
        for (xb,) in unlabelled_loader:
            confidence, guess = model(xb).softmax(1).max(1)
            sure = confidence > 0.9
            images.append(xb[sure])
            guesses.append(guess[sure])
    pseudo = TensorDataset(torch.cat(images), torch.cat(guesses))
    train(ConcatDataset([labelled, pseudo]), 4)
    print(f"round {round_}: {len(pseudo)} pseudo-labels, test accuracy {test():.4f}")
