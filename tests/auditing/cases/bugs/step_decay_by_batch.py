"""Character-level next-letter model; the rate is to fall by ten every 4 epochs."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)
text = ("the quick brown fox jumps over the lazy dog while seven grey geese fly south across the quiet lake "
        "and nobody in the small village wakes before the sun has climbed above the old mill on the hill ") * 6
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
ids = torch.tensor([stoi[c] for c in text])
T = 8
xs = torch.stack([ids[i : i + T] for i in range(len(ids) - T)])
ys = ids[T:]
loader = DataLoader(TensorDataset(xs, ys), batch_size=64, shuffle=True)


class CharNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(chars), 12)
        self.lstm = nn.LSTM(12, 48, batch_first=True)
        self.fc = nn.Linear(48, len(chars))

    def forward(self, x):
        out, _ = self.lstm(self.emb(x))
        return self.fc(out[:, -1])


net = CharNet()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.1)
for epoch in range(8):
    net.train()
    train_loss = 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()  # <- H206
        train_loss += loss.item() * len(y)
    print(f"epoch {epoch + 1}: train loss {train_loss / len(xs):.4f}")
