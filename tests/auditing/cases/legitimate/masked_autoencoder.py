import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, TensorDataset


class MAE(nn.Module):
    """16 patches of 2x2; three quarters are hidden from the encoder."""

    def __init__(self, dim=32, ratio=0.6):
        super().__init__()
        self.ratio = ratio
        self.embed = nn.Linear(4, dim)
        self.pos = nn.Parameter(torch.randn(1, 16, dim) * 0.02)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        layer = lambda: nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder, self.decoder = layer(), layer()
        self.out = nn.Linear(dim, 4)

    @staticmethod
    def patchify(x):
        return x.view(-1, 4, 2, 4, 2).permute(0, 1, 3, 2, 4).reshape(-1, 16, 4)

    def forward(self, x):
        patches = self.patchify(x)
        b = patches.size(0)
        keep = int(16 * (1 - self.ratio))
        order = torch.rand(b, 16, device=x.device).argsort(1)
        restore = order.argsort(1)
        tokens = self.embed(patches) + self.pos
        dim = tokens.size(-1)
        visible = tokens.gather(1, order[:, :keep, None].expand(-1, -1, dim))
        latent = self.encoder(visible)
        full = torch.cat([latent, self.mask_token.expand(b, 16 - keep, -1)], 1)
        full = full.gather(1, restore[..., None].expand(-1, -1, dim)) + self.pos
        pred = self.out(self.decoder(full))
        mask = torch.ones(b, 16, device=x.device)
        mask[:, :keep] = 0
        mask = mask.gather(1, restore)
        loss = ((pred - patches) ** 2).mean(-1)
        return (loss * mask).sum() / mask.sum()

    @torch.no_grad()
    def represent(self, x):
        return self.encoder(self.embed(self.patchify(x)) + self.pos).mean(1)


def main():
    torch.manual_seed(3)
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32) / 16
    y = torch.tensor(d.target)
    perm = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    train_ds = TensorDataset(x[perm[:1400]], y[perm[:1400]])
    val_ds = TensorDataset(x[perm[1400:]], y[perm[1400:]])
    train_loader = DataLoader(train_ds, batch_size=100, shuffle=True)
    val_loader = DataLoader(val_ds, batch_size=100)

    model = MAE()
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95))
    epochs = 5
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=epochs * len(train_loader))
    for epoch in range(epochs):
        model.train()
        tot, n = 0.0, 0
        for xb, _ in train_loader:
            loss = model(xb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            tot += loss.item() * xb.size(0)
            n += xb.size(0)
        model.eval()
        vt, vn = 0.0, 0
        with torch.no_grad():
            for xb, _ in val_loader:
                vt += model(xb).item() * xb.size(0)
                vn += xb.size(0)
        print(f"epoch {epoch}: train masked mse {tot / n:.4f}, val masked mse {vt / vn:.4f}")

    model.eval()
    ztr = torch.cat([model.represent(xb) for xb, _ in DataLoader(train_ds, 200)])
    zva = torch.cat([model.represent(xb) for xb, _ in val_loader])
    clf = LogisticRegression(max_iter=300).fit(ztr.numpy(), train_ds.tensors[1].numpy())
    print("linear evaluation: train acc %.3f, val acc %.3f" % (
        clf.score(ztr.numpy(), train_ds.tensors[1].numpy()), clf.score(zva.numpy(), val_ds.tensors[1].numpy())))


main()
