import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

SEED = 7
torch.manual_seed(SEED)
np.random.seed(SEED)

d = load_digits()
full = TensorDataset(torch.tensor(d.data / 16.0, dtype=torch.float32), torch.tensor(d.target))
train_ds, val_ds, test_ds = random_split(full, [1200, 297, 300], generator=torch.Generator().manual_seed(SEED))
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=128)
test_dl = DataLoader(test_ds, batch_size=128)

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
decoder = nn.Sequential(nn.ReLU(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
ae = nn.Sequential(encoder, decoder)

# ---- stage one: reconstruction, labels unused
opt = torch.optim.AdamW(ae.parameters(), lr=2e-3, weight_decay=1e-4)
for epoch in range(6):
    ae.train()
    total, seen = 0.0, 0
    for x, _ in train_dl:
        loss = nn.functional.mse_loss(ae(x), x)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        total += loss.item() * len(x)
        seen += len(x)
    ae.eval()
    with torch.no_grad():
        val = sum(nn.functional.mse_loss(ae(x), x, reduction="sum").item() for x, _ in val_dl) / (len(val_ds) * 64)
    print(f"[ae] epoch {epoch} train mse {total / seen:.4f} val mse {val:.4f}")

# ---- stage two: a linear probe on the frozen code
for p in encoder.parameters():
    p.requires_grad = False
encoder.eval()
probe = nn.Linear(16, 10)
opt = torch.optim.Adam(probe.parameters(), lr=2e-2)


def accuracy(dl):
    good = n = 0
    probe.eval()
    with torch.no_grad():
        for x, y in dl:
            good += (probe(encoder(x)).argmax(1) == y).sum().item()
            n += y.numel()
    return good / n


best, best_state = 0.0, None
for epoch in range(8):
    probe.train()
    for x, y in train_dl:
        with torch.no_grad():
            z = encoder(x)
        loss = nn.functional.cross_entropy(probe(z), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    acc = accuracy(val_dl)
    if acc > best:
        best, best_state = acc, {k: v.clone() for k, v in probe.state_dict().items()}
    print(f"[probe] epoch {epoch} val acc {acc:.4f}")
probe.load_state_dict(best_state)
print(f"best val acc {best:.4f}  test acc {accuracy(test_dl):.4f}")
