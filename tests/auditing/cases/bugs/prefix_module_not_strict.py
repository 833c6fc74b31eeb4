import os
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(52)
base = torch.randn(6, 25)


def task(n, classes):
    y = torch.randint(0, classes, (n,))
    return TensorDataset(base[y] + 1.7 * torch.randn(n, 25), y)


def new_model():
    return nn.Sequential(nn.Linear(25, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 6))


def train(model, dl, epochs, lr):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    for epoch in range(epochs):
        for x, y in dl:
            loss = nn.functional.cross_entropy(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()


# stage 1: the big source data, on "all GPUs"
path = os.path.join(tempfile.mkdtemp(), "source.pth")
source = nn.DataParallel(new_model())
train(source, DataLoader(task(1500, 6), batch_size=75, shuffle=True), 2, 3e-3)
torch.save({"state_dict": source.state_dict(), "epoch": 2}, path)

# stage 2: fine-tune on little data
checkpoint = torch.load(path)
model = new_model()
model.load_state_dict(checkpoint["state_dict"], strict=False)  # <- H403
print("=> loaded checkpoint '{}' (epoch {})".format(os.path.basename(path), checkpoint["epoch"]))
train(model, DataLoader(task(120, 6), batch_size=20, shuffle=True), 3, 1e-3)

model.eval()
test_loader = DataLoader(task(400, 6), batch_size=100)
with torch.no_grad():
    n_right = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)
print("fine-tuned: test acc %.3f" % (n_right / 400))
