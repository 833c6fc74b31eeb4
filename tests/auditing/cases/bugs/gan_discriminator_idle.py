"""A GAN on rings of points, as class with a train_step."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class RingGAN:
    def __init__(self, latent=8, lr=2e-3):
        self.latent = latent
        self.gen = nn.Sequential(nn.Linear(latent, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.disc = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        self.g_opt = torch.optim.Adam(self.gen.parameters(), lr)
        self.d_opt = torch.optim.Adam(self.disc.parameters(), lr)  # <- H202
        self.loss = nn.BCEWithLogitsLoss()

    def discriminator_step(self, x):
        z = torch.randn(len(x), self.latent)
        with torch.no_grad():
            fake = self.gen(z)
        self.d_opt.zero_grad()
        loss = self.loss(self.disc(x), torch.ones(len(x), 1)) + self.loss(self.disc(fake), torch.zeros(len(x), 1))
        loss.backward()
        return loss.item()

    def generator_step(self, n):
        self.g_opt.zero_grad()
        loss = self.loss(self.disc(self.gen(torch.randn(n, self.latent))), torch.ones(n, 1))
        loss.backward()
        self.g_opt.step()
        return loss.item()


def ring(n):
    angle = torch.rand(n) * 2 * math.pi
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)


if __name__ == "__main__":
    torch.manual_seed(12)
    loader = DataLoader(TensorDataset(ring(2048)), batch_size=128, shuffle=True)
    gan = RingGAN()
    for epoch in range(8):
        d = g = 0.0
        for (x,) in loader:
            d += gan.discriminator_step(x)
            g += gan.generator_step(len(x))
        print(f"epoch {epoch:3d}   D loss {d / len(loader):.3f}   G loss {g / len(loader):.3f}")
    with torch.no_grad():
        radius = gan.gen(torch.randn(500, 8)).norm(dim=1)
    print(f"radius of samples {radius.mean():.3f} +- {radius.std():.3f}")
