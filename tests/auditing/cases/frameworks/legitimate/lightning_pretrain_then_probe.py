"""Self-supervised pretraining (denoising auto-encoder), then a linear probe on the frozen encoder."""
import logging

import pytorch_lightning as pl
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


class Digits(Dataset):
    def __init__(self):
        d = load_digits()
        self.x = torch.as_tensor(d.data, dtype=torch.float32) / 16
        self.y = torch.as_tensor(d.target)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Denoiser(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.decoder = nn.Linear(32, 64)

    def training_step(self, batch, i):
        x, _ = batch
        noisy = x + 0.3 * torch.randn_like(x)
        loss = F.mse_loss(self.decoder(self.encoder(noisy)), x)
        self.log("recon", loss, on_epoch=True, on_step=False)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


class Probe(pl.LightningModule):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        for p in self.encoder.parameters():
            p.requires_grad = False
        self.head = nn.Linear(32, 10)
        self.n_correct = self.n_seen = 0

    def forward(self, x):
        with torch.no_grad():
            z = self.encoder(x)
        return self.head(z)

    def training_step(self, batch, i):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def on_validation_epoch_start(self):
        self.n_correct = self.n_seen = 0

    def validation_step(self, batch, i):
        x, y = batch
        self.n_correct += (self(x).argmax(1) == y).sum().item()
        self.n_seen += len(y)

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            print(f"probe epoch {self.current_epoch} | val acc {self.n_correct / self.n_seen:.2%}")

    def configure_optimizers(self):
        return torch.optim.Adam(self.head.parameters(), lr=1e-2)


def main():
    pl.seed_everything(1, verbose=False)
    data = Digits()
    perm = torch.randperm(len(data), generator=torch.Generator().manual_seed(1)).tolist()
    train, val = Subset(data, perm[:1400]), Subset(data, perm[1400:])
    quiet = dict(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                 enable_model_summary=False)
    denoiser = Denoiser()
    # labels are not used here, and only training pictures are
    pl.Trainer(max_epochs=4, **quiet).fit(denoiser, DataLoader(train, 64, shuffle=True))
    probe = Probe(denoiser.encoder)
    pl.Trainer(max_epochs=5, **quiet).fit(probe, DataLoader(train, 64, shuffle=True), DataLoader(val, 256))


main()
