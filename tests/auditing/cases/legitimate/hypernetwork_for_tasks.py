import torch
from torch import nn
import torch.nn.functional as F


class HyperLinear(nn.Module):
    """Weights of a small regressor, made from a task's descriptor."""

    def __init__(self, cond, hidden=8):
        super().__init__()
        self.hidden = hidden
        self.shapes = [(hidden, 1), (hidden,), (1, hidden), (1,)]
        total = sum(torch.Size(s).numel() for s in self.shapes)
        self.trunk = nn.Sequential(nn.Linear(cond, 64), nn.ReLU(), nn.Linear(64, total))

    def forward(self, c, x):
        flat, weights, at = self.trunk(c), [], 0
        for s in self.shapes:
            n = torch.Size(s).numel()
            weights.append(flat[:, at : at + n].view(len(c), *s))
            at += n
        w1, b1, w2, b2 = weights
        h = torch.tanh(torch.einsum("bhi,bni->bnh", w1, x) + b1[:, None])
        return torch.einsum("boh,bnh->bno", w2, h) + b2[:, None]


def tasks(n, g):
    c = torch.rand(n, 2, generator=g) * 2 - 1
    x = torch.rand(n, 20, 1, generator=g) * 4 - 2
    return c, x, c[:, :1, None] * x + torch.sin(2 * c[:, 1:, None] + x)


torch.manual_seed(0)
g = torch.Generator().manual_seed(1)
train_tasks, test_tasks = tasks(600, g), tasks(150, g)
net = HyperLinear(2)
opt = torch.optim.Adam(net.parameters(), 3e-3)
sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.1, total_iters=15)
for epoch in range(15):
    net.train()
    total = 0.0
    for idx in torch.randperm(600).split(50):
        c, x, y = (t[idx] for t in train_tasks)
        loss = F.mse_loss(net(c, x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    sched.step()
    net.eval()
    with torch.no_grad():
        c, x, y = test_tasks
        test = F.mse_loss(net(c, x), y).item()
    if epoch % 5 == 4:
        print(f"epoch {epoch:2d}  train mse {total / 600:.4f}  mse on unseen tasks {test:.4f}")
