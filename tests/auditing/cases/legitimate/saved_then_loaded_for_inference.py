import json
import pathlib
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASSES = ["barolo", "grignolino", "barbera"]


class WineNet(nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_features, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, n_classes))

    def forward(self, x):
        return self.net(x)


def train(folder):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = load_wine(return_X_y=True)
    order = rng.permutation(len(y))
    tr, te = order[:130], order[130:]
    mean, std = x[tr].mean(0), x[tr].std(0)
    xt = torch.tensor((x[tr] - mean) / std, dtype=torch.float32)
    loader = DataLoader(TensorDataset(xt, torch.tensor(y[tr])), batch_size=13, shuffle=True)
    model = WineNet(13, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(15):
        for xb, yb in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            optimizer.step()
    torch.save(model.state_dict(), folder / "weights.pt")
    (folder / "meta.json").write_text(json.dumps({"mean": mean.tolist(), "std": std.tolist(), "classes": CLASSES}))
    np.savez(folder / "test.npz", x=x[te], y=y[te])


class Predictor:
    def __init__(self, folder):
        meta = json.loads((folder / "meta.json").read_text())
        self.classes = meta["classes"]
        self.mean = np.array(meta["mean"])
        self.std = np.array(meta["std"])
        self.model = WineNet(len(meta["mean"]), len(self.classes))
        self.model.load_state_dict(torch.load(folder / "weights.pt"))
        self.model.eval()

    @torch.no_grad()
    def __call__(self, raw):
        x = torch.tensor((np.atleast_2d(raw) - self.mean) / self.std, dtype=torch.float32)
        probs = self.model(x).softmax(-1)
        return [self.classes[i] for i in probs.argmax(-1).tolist()], probs.max(-1).values.tolist()


def infer(folder):
    predictor = Predictor(folder)
    test = np.load(folder / "test.npz")
    names, confidence = predictor(test["x"])
    right = sum(name == CLASSES[k] for name, k in zip(names, test["y"]))
    for name, sure, k in list(zip(names, confidence, test["y"]))[:5]:
        print(f"predicted {name:<11} ({sure:.2f})  truth {CLASSES[k]}")
    print(f"test accuracy: {right}/{len(names)} = {right / len(names):.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as tmp:
        train(pathlib.Path(tmp))
        infer(pathlib.Path(tmp))
