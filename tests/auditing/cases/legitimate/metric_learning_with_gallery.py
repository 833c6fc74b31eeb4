"""Triplet loss; evaluation is by nearest neighbours of test pictures among the TRAINING pictures (the gallery)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 16))

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


def batch_hard_triplet(z, y, margin=0.3):
    dist = torch.cdist(z, z)
    same = y[:, None] == y[None]
    hardest_pos = (dist * same).max(1).values
    hardest_neg = (dist + 1e3 * same).min(1).values
    return F.relu(hardest_pos - hardest_neg + margin).mean()


@torch.no_grad()
def embed(model, loader):
    model.eval()
    zs, ys = [], []
    for x, y in loader:
        zs.append(model(x))
        ys.append(y)
    return torch.cat(zs), torch.cat(ys)


def knn_accuracy(gallery, gallery_labels, queries, labels, k=5):
    near = torch.cdist(queries, gallery).topk(k, largest=False).indices
    votes = gallery_labels[near].mode(1).values
    return (votes == labels).float().mean().item()


def recall_at_1(z, y):
    d = torch.cdist(z, z)
    d.fill_diagonal_(float("inf"))
    return (y[d.argmin(1)] == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(3)
    X, y = load_digits(return_X_y=True)
    Xtr, Xte, ytr, yte = train_test_split(X / 16, y, test_size=0.3, random_state=3, stratify=y)
    train_set = TensorDataset(torch.tensor(Xtr).float(), torch.tensor(ytr))
    test_set = TensorDataset(torch.tensor(Xte).float(), torch.tensor(yte))
    train_loader = DataLoader(train_set, batch_size=100, shuffle=True)
    gallery_loader = DataLoader(train_set, batch_size=256)
    query_loader = DataLoader(test_set, batch_size=256)
    model = Embedder()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(6):
        model.train()
        for xb, yb in train_loader:
            loss = batch_hard_triplet(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        g, gl = embed(model, gallery_loader)
        q, ql = embed(model, query_loader)
        print(f"epoch {epoch}: loss {loss.item():.4f} knn test acc {knn_accuracy(g, gl, q, ql):.4f} test recall@1 {recall_at_1(q, ql):.4f}")
