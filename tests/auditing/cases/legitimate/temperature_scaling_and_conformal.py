import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(77)
np.random.seed(77)
X, y = load_digits(return_X_y=True)
X = X / 16 + 0.35 * np.random.randn(*X.shape)        # noisy pictures, else there is nothing to calibrate
ds = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
p = np.random.permutation(len(ds))
train, calib, test = (Subset(ds, i.tolist()) for i in np.split(p, [900, 1300]))
train_loader = DataLoader(train, batch_size=50, shuffle=True)
calib_loader = DataLoader(calib, batch_size=200)
test_loader = DataLoader(test, batch_size=200)

net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
opt = optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(10):
    for x, t in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(net(x), t).backward()
        opt.step()
net.eval()


@torch.no_grad()
def collect(loader):
    out = [(net(x), t) for x, t in loader]
    return torch.cat([o for o, _ in out]), torch.cat([t for _, t in out])


def ece(probs, labels, bins=10):
    conf, pred = probs.max(1)
    right = pred.eq(labels).float()
    total = 0.0
    for lo in torch.linspace(0, 1, bins + 1)[:-1]:
        m = (conf > lo) & (conf <= lo + 1 / bins)
        if m.any():
            total += (m.float().mean() * (right[m].mean() - conf[m].mean()).abs()).item()
    return total


calib_logits, calib_labels = collect(calib_loader)
test_logits, test_labels = collect(test_loader)

# one number, fitted on the calibration part
temperature = nn.Parameter(torch.ones(1) * 1.5)
lbfgs = optim.LBFGS([temperature], lr=0.05, max_iter=50)


def closure():
    lbfgs.zero_grad()
    loss = nn.functional.cross_entropy(calib_logits / temperature, calib_labels)
    loss.backward()
    return loss


lbfgs.step(closure)
T = temperature.item()
acc = (test_logits.argmax(1) == test_labels).float().mean().item()
print(f"test accuracy {acc:.4f}; temperature {T:.3f}")
print(f"test ECE before {ece(test_logits.softmax(1), test_labels):.4f} after {ece((test_logits / T).softmax(1), test_labels):.4f}")

# split conformal: sets that hold the truth nine times in ten
scores = 1 - (calib_logits / T).softmax(1)[torch.arange(len(calib_labels)), calib_labels]
n, alpha = len(scores), 0.1
qhat = torch.quantile(scores, min(1.0, np.ceil((n + 1) * (1 - alpha)) / n))
sets = (test_logits / T).softmax(1) >= 1 - qhat
covered = sets[torch.arange(len(test_labels)), test_labels].float().mean().item()
print(f"conformal: coverage {covered:.4f}, mean size of the sets {sets.sum(1).float().mean():.2f}")
