"""Toy DDPM: noise prediction with an MLP on two moons, ancestral sampling at the end."""
import math
import torch
from sklearn.datasets import make_moons
from torch import nn

T = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)

betas = torch.linspace(1e-3, 0.15, T, device=DEVICE)
alphas = 1 - betas
abar = torch.cumprod(alphas, 0)


class TimeEmbedding(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.register_buffer("freq", torch.exp(-math.log(1000) * torch.arange(dim // 2) / (dim // 2)))

    def forward(self, t):
        a = t[:, None].float() * self.freq[None]
        return torch.cat([a.sin(), a.cos()], -1)


class Denoiser(nn.Module):
    def __init__(self, width=96, tdim=16):
        super().__init__()
        self.temb = TimeEmbedding(tdim)
        self.net = nn.Sequential(
            nn.Linear(2 + tdim, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2)
        )

    def forward(self, x, t):
        return self.net(torch.cat([x, self.temb(t)], -1))


def q_sample(x0, t, eps):
    a = abar[t][:, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * eps


@torch.no_grad()
def sample(model, n):
    x = torch.randn(n, 2, device=DEVICE)
    for t in reversed(range(T)):
        tt = torch.full((n,), t, device=DEVICE)
        eps = model(x, tt)
        x = (x - betas[t] / (1 - abar[t]).sqrt() * eps) / alphas[t].sqrt()
        if t > 0:
            x = x + betas[t].sqrt() * torch.randn_like(x)
    return x


def main():
    pts, _ = make_moons(3000, noise=0.05, random_state=0)
    pts = torch.tensor(pts, dtype=torch.float32, device=DEVICE)
    pts = (pts - pts.mean(0)) / pts.std(0)
    train, held = pts[:2500], pts[2500:]
    model = Denoiser().to(DEVICE)
    optim = torch.optim.Adam(model.parameters(), lr=2e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(optim, T_max=400)
    # the same noise levels for each measurement, so that numbers can be compared
    g = torch.Generator(device=DEVICE).manual_seed(5)
    held_t = torch.randint(0, T, (len(held),), generator=g, device=DEVICE)
    held_eps = torch.randn(held.shape, generator=g, device=DEVICE)
    running = None
    for step in range(1, 401):
        x0 = train[torch.randint(0, len(train), (256,), device=DEVICE)]
        t = torch.randint(0, T, (256,), device=DEVICE)
        eps = torch.randn_like(x0)
        loss = ((model(q_sample(x0, t, eps), t) - eps) ** 2).mean()
        optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optim.step()
        sched.step()
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 100 == 0:
            model.eval()
            with torch.no_grad():
                held_loss = ((model(q_sample(held, held_t, held_eps), held_t) - held_eps) ** 2).mean().item()
            model.train()
            print(f"step {step} | train loss {running:.4f} | held-out loss {held_loss:.4f} | lr {sched.get_last_lr()[0]:.1e}")
    model.eval()
    s = sample(model, 1000)
    print("sample mean", [round(v, 2) for v in s.mean(0).tolist()], "std", [round(v, 2) for v in s.std(0).tolist()])


if __name__ == "__main__":
    main()
