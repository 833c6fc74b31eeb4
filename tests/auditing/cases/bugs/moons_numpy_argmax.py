import argparse

import numpy as np
import torch
from sklearn.datasets import make_moons
from sklearn.metrics import accuracy_score, classification_report
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--bs", type=int, default=50)
    return p.parse_args()


def predict(model, loader):
    model.eval()
    probs, ys = [], []
    with torch.inference_mode():
        for xb, yb in loader:
            probs.append(torch.sigmoid(model(xb)).numpy())
            ys.append(yb.numpy())
    return np.concatenate(probs), np.concatenate(ys)


def main():
    args = get_args()
    torch.manual_seed(7)
    X, y = make_moons(1000, noise=0.2, random_state=7)
    full = TensorDataset(torch.from_numpy(X).float(), torch.from_numpy(y).float())
    tr, va = random_split(full, [800, 200])
    train_dl = DataLoader(tr, args.bs, shuffle=True)
    valid_dl = DataLoader(va, args.bs)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr)
    bce = nn.BCEWithLogitsLoss()
    for ep in range(args.epochs):
        model.train()
        for xb, yb in train_dl:
            loss = bce(model(xb).squeeze(-1), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {ep}: last loss {loss.item():.4f}")
    p, t = predict(model, valid_dl)
    y_pred = np.argmax(p, axis=1)  # <- H301
    print("validation accuracy:", accuracy_score(t, y_pred))
    print(classification_report(t, y_pred, zero_division=0))


if __name__ == "__main__":
    main()
