import torch
from torch import autograd, nn, optim

torch.manual_seed(1)

# eight gaussians on a ring
LATENT, HIDDEN, CRITIC_STEPS, LAMBDA, BATCH, ITERS = 4, 64, 5, 0.1, 128, 120


def ring(n):
    angle = torch.randint(0, 8, (n,)) * (3.14159265 / 4)
    centre = torch.stack([angle.cos(), angle.sin()], 1) * 2
    return centre + 0.05 * torch.randn(n, 2)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, o))


def real_batches(data):
    while True:
        for chunk in data[torch.randperm(len(data))].split(BATCH):
            if len(chunk) == BATCH:
                yield chunk


def gradient_penalty(critic, real, fake):
    alpha = torch.rand(len(real), 1)
    mix = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = critic(mix)
    (grad,) = autograd.grad(score, mix, torch.ones_like(score), create_graph=True, retain_graph=True)
    return ((grad.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


generator, critic = mlp(LATENT, 2), mlp(2, 1)
opt_g = optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
opt_c = optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
data = real_batches(ring(4096))

for it in range(ITERS):
    for p in critic.parameters():
        p.requires_grad_(True)
    for _ in range(CRITIC_STEPS):
        real = next(data)
        with torch.no_grad():
            fake = generator(torch.randn(BATCH, LATENT))
        critic.zero_grad()
        wasserstein = critic(real).mean() - critic(fake).mean()
        loss_c = -wasserstein + gradient_penalty(critic, real, fake)
        loss_c.backward()
        opt_c.step()
    for p in critic.parameters():
        p.requires_grad_(False)
    generator.zero_grad()
    loss_g = -critic(generator(torch.randn(BATCH, LATENT))).mean()
    loss_g.backward()
    opt_g.step()
    if it % 20 == 19:
        print(f"iter {it + 1:4d}  W {wasserstein.item():.3f}  loss_g {loss_g.item():.3f}")

with torch.no_grad():
    points = generator(torch.randn(2000, LATENT))
print("radius of generated points: %.2f +- %.2f" % (points.norm(dim=1).mean(), points.norm(dim=1).std()))
