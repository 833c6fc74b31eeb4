import torch
import torch.nn as nn

torch.manual_seed(1)
real = torch.randn(2000, 2) @ torch.tensor([[1.0, 0.6], [0.0, 0.5]]) + torch.tensor([2.0, -1.0])

G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()

for step in range(600):
    batch = real[torch.randint(len(real), (64,))]
    noise = torch.randn(64, 4)

    # discriminator
    opt_d.zero_grad()
    fake = G(noise).detach()
    loss_d = bce(D(batch), torch.ones(64, 1)) + bce(D(fake), torch.zeros(64, 1))
    loss_d.backward()
    opt_d.step()

    # generator
    opt_d.zero_grad()
    loss_g = bce(D(G(noise)), torch.ones(64, 1))
    loss_g.backward()  # <- H201
    opt_g.step()

    if step % 100 == 99:
        with torch.no_grad():
            sample = G(torch.randn(1000, 4))
        print(f"step {step + 1}: D {loss_d.item():.3f} G {loss_g.item():.3f} mean {sample.mean(0).tolist()}")
