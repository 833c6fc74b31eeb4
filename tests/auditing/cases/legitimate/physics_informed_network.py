import math
import torch
import torch.nn as nn
from torch.autograd import grad

torch.manual_seed(1234)
torch.set_default_dtype(torch.float32)

# heat equation u_t = k u_xx on [0, pi], u(x, 0) = sin x, u(0, t) = u(pi, t) = 0; exact: exp(-k t) sin x
k = 0.5
exact = lambda x, t: torch.exp(-k * t) * torch.sin(x)


class PINN(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x, t):
        return self.net(torch.cat([x, t], dim=1))


def residual(model, x, t):
    x.requires_grad_(True); t.requires_grad_(True)
    u = model(x, t)
    ones = torch.ones_like(u)
    u_t = grad(u, t, ones, create_graph=True)[0]
    u_x = grad(u, x, ones, create_graph=True)[0]
    u_xx = grad(u_x, x, ones, create_graph=True)[0]
    return u_t - k * u_xx


model = PINN()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.995)

# collocation, initial and boundary points, once and for all
xc, tc = math.pi * torch.rand(256, 1), torch.rand(256, 1)
x0, t0 = math.pi * torch.rand(64, 1), torch.zeros(64, 1)
xb, tb = torch.cat([torch.zeros(32, 1), torch.full((32, 1), math.pi)]), torch.rand(64, 1)

# the grid it is tested on
gx, gt = torch.meshgrid(torch.linspace(0, math.pi, 40), torch.linspace(0, 1, 25), indexing="ij")
gx, gt = gx.reshape(-1, 1), gt.reshape(-1, 1)

for it in range(1, 301):
    optimizer.zero_grad()
    loss_f = residual(model, xc, tc).pow(2).mean()
    loss_0 = (model(x0, t0) - exact(x0, t0)).pow(2).mean()
    loss_b = model(xb, tb).pow(2).mean()
    loss = loss_f + 10 * loss_0 + 10 * loss_b
    loss.backward()
    optimizer.step()
    scheduler.step()
    if it % 100 == 0:
        with torch.no_grad():
            u = model(gx, gt)
            err = (u - exact(gx, gt)).norm() / exact(gx, gt).norm()
        print(f"{it} loss {loss.item():.5f} (f {loss_f.item():.5f}, 0 {loss_0.item():.5f}, b {loss_b.item():.5f}) relative L2 error on the grid {err.item():.4f}")
