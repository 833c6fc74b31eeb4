import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(28)


def make_classifier(n_classes, width=32, backbone=nn.Sequential(nn.Linear(20, 32), nn.ReLU()), frozen=False):  # <- H402
    for p in backbone.parameters():
        p.requires_grad = not frozen
    return nn.Sequential(backbone, nn.Linear(width, n_classes))


centres = torch.randn(4, 20)
y = torch.randint(0, 4, (1200,))
x = centres[y] + 2.2 * torch.randn(1200, 20)
train_loader = DataLoader(TensorDataset(x[:900], y[:900]), batch_size=45, shuffle=True)
val_loader = DataLoader(TensorDataset(x[900:], y[900:]), batch_size=100)


def fit(model, epochs=5):
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.Adam(params, lr=3e-3)
    for _ in range(epochs):
        model.train()
        for a, b in train_loader:
            opt.zero_grad()
            nn.functional.cross_entropy(model(a), b).backward()
            opt.step()


def accuracy(model):
    model.eval()
    hits = 0
    with torch.no_grad():
        for a, b in val_loader:
            hits += int((model(a).argmax(1) == b).sum())
    return hits / len(val_loader.dataset)


full = make_classifier(4)
fit(full)
print("trained backbone: val accuracy %.3f" % accuracy(full))

random_features = make_classifier(4, frozen=True)
fit(random_features)
print("random frozen backbone: val accuracy %.3f" % accuracy(random_features))
