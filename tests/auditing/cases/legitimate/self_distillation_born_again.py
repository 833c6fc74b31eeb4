import copy
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedShuffleSplit

# born-again networks: generation k learns from generation k-1, each from new weights
x, y = load_wine(return_X_y=True)
train_idx, test_idx = next(StratifiedShuffleSplit(1, test_size=0.3, random_state=4).split(x, y))
mean, std = x[train_idx].mean(0), x[train_idx].std(0)
x = torch.tensor((x - mean) / std, dtype=torch.float32)
y = torch.tensor(y)
train = DataLoader(TensorDataset(x[train_idx], y[train_idx]), batch_size=16, shuffle=True,
                   generator=torch.Generator().manual_seed(0))
test = DataLoader(TensorDataset(x[test_idx], y[test_idx]), batch_size=64)


def new_model(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(13, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 3))


def evaluate(model):
    model.eval()
    loss = hits = n = 0
    with torch.no_grad():
        for xb, yb in test:
            out = model(xb)
            loss += F.cross_entropy(out, yb, reduction="sum").item()
            hits += (out.argmax(-1) == yb).sum().item()
            n += yb.size(0)
    return loss / n, hits / n


previous = None
for generation in range(3):
    model = new_model(seed=100 + generation)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for epoch in range(12):
        model.train()
        for xb, yb in train:
            logits = model(xb)
            loss = F.cross_entropy(logits, yb)
            if previous is not None:
                with torch.no_grad():
                    soft = previous(xb).softmax(-1)
                loss = loss + F.kl_div(logits.log_softmax(-1), soft, reduction="batchmean")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    test_loss, test_acc = evaluate(model)
    print(f"generation {generation}: test loss {test_loss:.4f}  test acc {test_acc:.3f}")
    previous = copy.deepcopy(model).eval().requires_grad_(False)
