import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
X = torch.tensor(digits.data / 16.0, dtype=torch.float32)
Y = torch.tensor(digits.target)

# an autoencoder first, on everything but the last 400
encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16))
decoder = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 64))
ae_opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
unlabelled = DataLoader(X[:1397], batch_size=64, shuffle=True)
for epoch in range(5):
    for x in unlabelled:
        ae_opt.zero_grad()
        rec = nn.functional.mse_loss(decoder(encoder(x)), x)
        rec.backward()
        ae_opt.step()
    print(f"autoencoder {epoch} reconstruction {rec.item():.4f}")

# then a linear probe on frozen features
for param in encoder.parameters():
    param.require_grad = False  # <- H203
probe = nn.Sequential(encoder, nn.Linear(16, 10))
opt = torch.optim.Adam(probe.parameters(), lr=2e-3)
labelled = DataLoader(TensorDataset(X[:400], Y[:400]), batch_size=40, shuffle=True)
held_out = DataLoader(TensorDataset(X[1397:], Y[1397:]), batch_size=200)
for epoch in range(5):
    probe.train()
    for x, y in labelled:
        opt.zero_grad()
        nn.functional.cross_entropy(probe(x), y).backward()
        opt.step()
    probe.eval()
    with torch.no_grad():
        acc = sum((probe(x).argmax(1) == y).sum().item() for x, y in held_out) / 400
    print(f"linear probe epoch {epoch}: test accuracy {acc:.3f}")
