import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.RandomState(0)
d = load_digits()
even = d.target % 2 == 0
# source task: the even digits; target task: the odd ones
src = np.where(even)[0]
dst = rng.permutation(np.where(~even)[0])
dst_train, dst_test = dst[:600], dst[600:]
images = torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1)

backbone = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
head = nn.Linear(128, 5)
model = nn.Sequential(backbone, head)
loader = DataLoader(TensorDataset(images[src], torch.tensor(d.target[src] // 2)), batch_size=64, shuffle=True)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(3):
    model.train()
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    print(f"source epoch {epoch}: loss {loss.item():.4f}")


@torch.inference_mode()
def extract(indices):
    backbone.eval()
    dl = DataLoader(TensorDataset(images[indices], torch.tensor(d.target[indices])), batch_size=128)
    feats, labels = zip(*((backbone(x), y) for x, y in dl))
    return torch.cat(feats).numpy(), torch.cat(labels).numpy()


ftr, ltr = extract(dst_train)
fte, lte = extract(dst_test)
clf = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.5)).fit(ftr, ltr)
print(f"target task: train accuracy {clf.score(ftr, ltr):.4f}, test accuracy {clf.score(fte, lte):.4f}")
