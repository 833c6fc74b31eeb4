# Pretrain a small net on digits 0-4, then freeze it and train a new head for digits 5-9.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(17)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) / 16
y = torch.tensor(y)


def loaders_for(mask, offset, n_train):
    xs, ys = X[mask], y[mask] - offset
    p = torch.randperm(len(xs))
    tr, va = p[:n_train], p[n_train:]
    return (DataLoader(TensorDataset(xs[tr], ys[tr]), batch_size=32, shuffle=True),
            DataLoader(TensorDataset(xs[va], ys[va]), batch_size=64))


class SmallNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.Flatten())
        self.fc = nn.Linear(32 * 16, n_classes)

    def forward(self, x):
        return self.fc(self.features(x))


def train(model, loader, optimizer, criterion, epochs):
    for _ in range(epochs):
        model.train()
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
    return model


@torch.no_grad()
def check_accuracy(model, loader):
    model.eval()
    num_correct = num_samples = 0
    for inputs, labels in loader:
        _, predictions = model(inputs).max(1)
        num_correct += (predictions == labels).sum().item()
        num_samples += predictions.size(0)
    return num_correct / num_samples


criterion = nn.CrossEntropyLoss()
source_train, source_val = loaders_for(y < 5, 0, 700)
target_train, target_val = loaders_for(y >= 5, 5, 200)

model = SmallNet(5)
train(model, source_train, torch.optim.Adam(model.parameters(), lr=2e-3), criterion, epochs=4)
print(f"source task: val accuracy {check_accuracy(model, source_val):.3f}")

for param in model.parameters():
    param.requires_grad = False
model.fc = nn.Linear(model.fc.in_features, 5)
optimizer = torch.optim.Adam(model.fc.parameters(), lr=1e-2)
trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
print("trainable parameters:", trainable)
for epoch in range(6):
    train(model, target_train, optimizer, criterion, epochs=1)
    print(f"epoch {epoch + 1}: target val accuracy {check_accuracy(model, target_val):.3f}")
