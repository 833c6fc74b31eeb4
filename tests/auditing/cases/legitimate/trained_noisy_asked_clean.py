"""Strong noise on the pictures while training, as a regulariser; clean pictures in validation."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    def __init__(self, x, y, sigma=0.0):
        self.x, self.y, self.sigma = x, y, sigma

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        x = self.x[i]
        if self.sigma:
            x = x + self.sigma * torch.randn_like(x)
        return x, self.y[i]


torch.manual_seed(6)
raw = load_digits()
images, labels = torch.tensor(raw.images).float().unsqueeze(1) / 16, torch.tensor(raw.target)
picked = torch.randperm(len(labels))
train_set = Pictures(images[picked[:1200]], labels[picked[:1200]], sigma=0.8)
val_set = Pictures(images[picked[1200:]], labels[picked[1200:]])
train_iter = DataLoader(train_set, batch_size=48, shuffle=True)
val_iter = DataLoader(val_set, batch_size=128)

model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(5):
    model.train()
    for x, y in train_iter:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    model.eval()
    hits = 0
    with torch.no_grad():
        for x, y in val_iter:
            hits += (model(x).argmax(1) == y).sum().item()
    print(f"epoch {epoch + 1}: val acc {hits / len(val_set):.4f}")
