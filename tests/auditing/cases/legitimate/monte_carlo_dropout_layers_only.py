import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn, optim

np.random.seed(5); torch.manual_seed(5)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=60, random_state=5, stratify=y)
mean, std = X_train.mean(0), X_train.std(0)
X_train, X_test = (torch.tensor((a - mean) / std, dtype=torch.float32) for a in (X_train, X_test))
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.bn, self.do, self.fc2 = nn.Linear(13, 32), nn.BatchNorm1d(32), nn.Dropout(0.3), nn.Linear(32, 3)

    def forward(self, x):
        return self.fc2(self.do(torch.relu(self.bn(self.fc1(x)))))


def enable_dropout(model):
    for m in model.modules():
        if m.__class__.__name__.startswith("Dropout"):
            m.train()


model = Model()
opt = optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(20):
    model.train()
    for batch in torch.randperm(len(X_train)).split(32):
        if len(batch) < 8:
            continue
        opt.zero_grad()
        nn.functional.cross_entropy(model(X_train[batch]), y_train[batch]).backward()
        opt.step()
model.eval()
enable_dropout(model)       # batch norm stays in evaluation
with torch.no_grad():
    probs = torch.stack([model(X_test).softmax(-1) for _ in range(50)])
pred = probs.mean(0)
entropy = -(pred * pred.clamp_min(1e-9).log()).sum(-1)
print(f"MC test accuracy: {(pred.argmax(-1) == y_test).float().mean():.3f}, mean predictive entropy: {entropy.mean():.3f}")
model.eval()
with torch.no_grad():
    print(f"single pass test accuracy: {(model(X_test).argmax(-1) == y_test).float().mean():.3f}")
