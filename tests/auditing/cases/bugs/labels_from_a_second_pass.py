import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(90)

means = torch.randn(4, 15) * 1.2
y = torch.randint(4, (1000,))
x = means[y] + torch.randn(1000, 15)
train_set, eval_set = random_split(TensorDataset(x, y), [750, 250])


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(15, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        return self.layers(x)

    @torch.no_grad()
    def predict(self, loader):
        self.eval()
        return torch.cat([self(x).argmax(-1) for x, _ in loader])


def loader_of(ds):
    return DataLoader(ds, batch_size=50, shuffle=True)


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
train_loader, eval_loader = loader_of(train_set), loader_of(eval_set)
for epoch in range(4):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: train loss {loss.item():.3f}")

y_hat = model.predict(eval_loader)
y_true = torch.cat([yb for _, yb in eval_loader])
print(f"eval accuracy: {(y_hat == y_true).float().mean().item():.3f}")  # <- missed H306
