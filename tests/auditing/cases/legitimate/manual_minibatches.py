# Karpathy-like: no Dataset, no DataLoader, indices drawn by hand.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

g = torch.Generator().manual_seed(2147483647)
d = load_digits()
X = torch.tensor(d.data).float() / 16
Y = torch.tensor(d.target)
p = torch.randperm(len(X), generator=g)
n1, n2 = int(0.8 * len(X)), int(0.9 * len(X))
Xtr, Ytr = X[p[:n1]], Y[p[:n1]]
Xdev, Ydev = X[p[n1:n2]], Y[p[n1:n2]]
Xte, Yte = X[p[n2:]], Y[p[n2:]]

W1 = torch.randn((64, 80), generator=g) * (5 / 3) / 8
b1 = torch.zeros(80)
W2 = torch.randn((80, 10), generator=g) * 0.01
b2 = torch.zeros(10)
parameters = [W1, b1, W2, b2]
for q in parameters:
    q.requires_grad = True
print(sum(q.nelement() for q in parameters), "parameters")

max_steps = 1500
batch_size = 32
for i in range(max_steps):
    ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
    Xb, Yb = Xtr[ix], Ytr[ix]
    h = torch.tanh(Xb @ W1 + b1)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    for q in parameters:
        q.grad = None
    loss.backward()
    lr = 0.1 if i < 1000 else 0.01
    for q in parameters:
        q.data += -lr * q.grad
    if i % 300 == 0:
        print(f"{i:7d}/{max_steps:7d}: {loss.item():.4f}")


@torch.no_grad()
def split_loss(split):
    x, y = {"train": (Xtr, Ytr), "val": (Xdev, Ydev), "test": (Xte, Yte)}[split]
    logits = torch.tanh(x @ W1 + b1) @ W2 + b2
    acc = (logits.argmax(1) == y).float().mean()
    print(split, "loss", F.cross_entropy(logits, y).item(), "acc", acc.item())


split_loss("train")
split_loss("val")
split_loss("test")
