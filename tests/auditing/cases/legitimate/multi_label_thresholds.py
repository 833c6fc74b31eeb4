"""Multi-label: thresholds are chosen on validation, applied once to the test part."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import f1_score
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
np.random.seed(0)
X, Y = make_multilabel_classification(1500, 24, n_classes=5, n_labels=2, random_state=0)
full = TensorDataset(torch.tensor(X / 10.0, dtype=torch.float32), torch.tensor(Y, dtype=torch.float32))
train_set, val_set, test_set = random_split(full, [1000, 250, 250], generator=torch.Generator().manual_seed(0))
loaders = {
    "train": DataLoader(train_set, batch_size=50, shuffle=True),
    "val": DataLoader(val_set, batch_size=125),
    "test": DataLoader(test_set, batch_size=125),
}

model = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 5))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def predict(loader):
    model.eval()
    probs, truth = [], []
    with torch.no_grad():
        for x, t in loader:
            probs.append(torch.sigmoid(model(x)))
            truth.append(t)
    return torch.cat(probs).numpy(), torch.cat(truth).numpy()


for epoch in range(10):
    for phase in ["train", "val"]:
        model.train(phase == "train")
        epoch_loss, bits, n_bits = 0.0, 0, 0
        for x, t in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                logits = model(x)
                loss = criterion(logits, t)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            epoch_loss += loss.item() * len(x)
            bits += ((logits > 0).float() == t).sum().item()
            n_bits += t.numel()
        print(f"{epoch + 1:2d} {phase:5s} loss {epoch_loss / len(loaders[phase].dataset):.4f} per-label acc {bits / n_bits:.4f}")

p_val, t_val = predict(loaders["val"])
grid = np.linspace(0.1, 0.9, 17)
thresholds = np.array([grid[np.argmax([f1_score(t_val[:, k], p_val[:, k] > g, zero_division=0) for g in grid])] for k in range(5)])
p_test, t_test = predict(loaders["test"])
pred = p_test > thresholds
print("thresholds", thresholds.round(2))
print(f"test macro F1 {f1_score(t_test, pred, average='macro'):.4f}")
print(f"test exact match {np.mean((pred == (t_test > 0.5)).all(1)):.4f}")
