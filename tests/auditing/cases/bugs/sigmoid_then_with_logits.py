"""Multi-label: which strokes are in a picture."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(30)


def strokes(n):
    y = (torch.rand(n, 4) < 0.4).float()
    img = 0.7 * torch.randn(n, 10, 10)
    img[:, 2, :] += y[:, 0, None]
    img[:, 7, :] += y[:, 1, None]
    img[:, :, 2] += y[:, 2, None]
    img[:, :, 7] += y[:, 3, None]
    return TensorDataset(img[:, None], y)


class StrokeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 32), nn.ReLU(), nn.Linear(32, 4), nn.Sigmoid()
        )

    def forward(self, x):
        return self.net(x)


train_loader, val_loader = DataLoader(strokes(800), 40, shuffle=True), DataLoader(strokes(200), 100)
net = StrokeNet()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(5):
    net.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        probs = net(images)
        loss = criterion(probs, labels)  # <- H210
        loss.backward()
        optimizer.step()
    net.eval()
    exact = bits = 0
    with torch.no_grad():
        for images, labels in val_loader:
            guess = (net(images) > 0.5).float()
            exact += (guess == labels).all(1).sum().item()
            bits += (guess == labels).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} | val exact {exact / 200:.3f} | val per label {bits / 800:.3f}")
