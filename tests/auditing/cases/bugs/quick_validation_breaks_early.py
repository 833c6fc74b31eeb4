"""Character-level names, classified by the language they were drawn from (synthetic)."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MAX_VAL_BATCHES = 8


def synth(n, gen):
    """Three 'languages' with different letter transition habits."""
    y = torch.randint(0, 3, (n,), generator=gen)
    steps = torch.randint(0, 4, (n, 12), generator=gen) + 1 + y[:, None]
    x = torch.cumsum(steps, 1) % 26
    noise = torch.rand(n, 12, generator=gen) < 0.35
    x[noise] = torch.randint(0, 26, (int(noise.sum()),), generator=gen)
    return TensorDataset(x, y)


class GRUClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(26, 12)
        self.gru = nn.GRU(12, 24, batch_first=True)
        self.fc = nn.Linear(24, 3)

    def forward(self, x):
        _, h = self.gru(self.embed(x))
        return self.fc(h[-1])


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    model.eval()
    correct, loss = 0, 0.0
    for i, (x, y) in enumerate(loader):
        if i >= MAX_VAL_BATCHES:  # keep it quick
            break
        logits = model(x)
        loss += loss_fn(logits, y).item() * len(y)
        correct += (logits.argmax(dim=-1) == y).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)


def main():
    torch.manual_seed(99)
    gen = torch.Generator().manual_seed(99)
    train_loader = DataLoader(synth(1500, gen), batch_size=50, shuffle=True)
    val_loader = DataLoader(synth(500, gen), batch_size=50)
    model = GRUClassifier()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(5):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad(set_to_none=True)
            loss = loss_fn(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        val_loss, val_acc = evaluate(model, val_loader, loss_fn)
        print(f"Epoch: {epoch} | Val. Loss: {val_loss:.3f} | Val. Acc: {val_acc * 100:.2f}%")  # <- H302


if __name__ == "__main__":
    main()
