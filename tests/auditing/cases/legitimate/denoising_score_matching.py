import torch
import torch.nn as nn

torch.manual_seed(0)
centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.5]])


def draw(n, g):
    return centres[torch.randint(0, 3, (n,), generator=g)] + 0.3 * torch.randn(n, 2, generator=g)


g = torch.Generator().manual_seed(4)
train_x, val_x = draw(3000, g), draw(1000, g)
sigmas = torch.logspace(0.3, -1, 8)


class Score(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 64), nn.Softplus(), nn.Linear(64, 64), nn.Softplus(), nn.Linear(64, 2))

    def forward(self, x, sigma):
        return self.net(torch.cat([x, sigma.log()], 1)) / sigma


def dsm_loss(model, x, g=None):
    sigma = sigmas[torch.randint(0, len(sigmas), (len(x),), generator=g)][:, None]
    noise = torch.randn(x.shape, generator=g)
    return ((model(x + sigma * noise, sigma) * sigma + noise) ** 2).sum(1).mean()


model = Score()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(8):
    model.train()
    tot = 0.0
    for b in train_x[torch.randperm(3000)].split(100):
        opt.zero_grad()
        loss = dsm_loss(model, b)
        loss.backward()
        opt.step()
        tot += loss.item()
    model.eval()
    with torch.no_grad():
        val = dsm_loss(model, val_x, torch.Generator().manual_seed(0)).item()   # the same noise each epoch
    print(f"epoch {epoch}: train {tot / 30:.4f} val {val:.4f}")

# annealed Langevin dynamics
with torch.no_grad():
    x = 4 * torch.rand(300, 2) - 2
    for s in sigmas:
        step = 0.05 * s ** 2
        for _ in range(20):
            x = x + step * model(x, s.expand(300, 1)) + (2 * step).sqrt() * torch.randn_like(x)
nearest = torch.cdist(x, centres).argmin(1)
print("share of each mode:", (torch.bincount(nearest, minlength=3) / 300).tolist())
