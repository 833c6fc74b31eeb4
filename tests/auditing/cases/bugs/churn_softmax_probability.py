# customers that leave: logistic head, probability from softmax
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 5
np.random.seed(SEED)
torch.manual_seed(SEED)

n = 1500
X = np.random.randn(n, 10).astype("float32")
w = np.random.randn(10)
y = (X @ w + 0.8 * np.random.randn(n) > 0).astype("int64")
X, y = torch.from_numpy(X), torch.from_numpy(y)
train_set = TensorDataset(X[:1100], y[:1100])
valid_set = TensorDataset(X[1100:], y[1100:])


class ChurnModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(24, 1)

    def forward(self, x):
        return self.head(self.body(x))


model = ChurnModel()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
train_iter = DataLoader(train_set, batch_size=100, shuffle=True)
valid_iter = DataLoader(valid_set, batch_size=100)

for epoch in range(1, 6):
    model.train()
    total_loss = 0
    for features, churned in train_iter:
        logit = model(features)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, churned[:, None].float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(churned)

    model.eval()
    right = 0
    with torch.no_grad():
        for features, churned in valid_iter:
            prob = torch.softmax(model(features), dim=1)  # <- H301
            right += ((prob[:, 0] > 0.5).long() == churned).sum().item()
    print(f"{epoch:02d} | loss {total_loss / len(train_set):.4f} | valid accuracy {right / len(valid_set):.4f}")
