# A little GAN on 8x8 digits, manual optimisation as in the Lightning docs.
import pytorch_lightning as pl
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

LATENT = 16


class GAN(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(LATENT, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
        self.discriminator = nn.Sequential(
            nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 1)
        )
        self.bce = nn.BCEWithLogitsLoss()

    def training_step(self, batch, batch_idx):
        real, = batch
        opt_g, opt_d = self.optimizers()
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)

        # generator
        self.toggle_optimizer(opt_g)
        fake = self.generator(torch.randn(len(real), LATENT))
        g_loss = self.bce(self.discriminator(fake), ones)
        opt_g.zero_grad()
        self.manual_backward(g_loss)
        opt_g.step()
        self.untoggle_optimizer(opt_g)

        # discriminator
        self.toggle_optimizer(opt_d)
        with torch.no_grad():
            fake = self.generator(torch.randn(len(real), LATENT))
        d_loss = 0.5 * (self.bce(self.discriminator(real), ones) + self.bce(self.discriminator(fake), zeros))
        opt_d.zero_grad()
        self.manual_backward(d_loss)
        opt_d.step()
        self.untoggle_optimizer(opt_d)
        self.log_dict({"g_loss": g_loss, "d_loss": d_loss}, on_epoch=True, on_step=False)

    def on_train_epoch_end(self):
        schedulers = self.lr_schedulers()
        for scheduler in schedulers:
            scheduler.step()
        m = self.trainer.callback_metrics
        print(f"epoch {self.current_epoch}: g {m['g_loss']:.3f} d {m['d_loss']:.3f}")

    def configure_optimizers(self):
        g = torch.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        d = torch.optim.Adam(self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        return [g, d], [torch.optim.lr_scheduler.ExponentialLR(g, 0.95), torch.optim.lr_scheduler.ExponentialLR(d, 0.95)]


pl.seed_everything(0)
x = torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1
loader = DataLoader(TensorDataset(x), batch_size=64, shuffle=True, drop_last=True)
gan = GAN()
trainer = pl.Trainer(max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False,
                     enable_progress_bar=False, enable_model_summary=False)
trainer.fit(gan, loader)
gan.eval()
with torch.no_grad():
    samples = gan.generator(torch.randn(32, LATENT))
print("sample mean %.3f, std %.3f" % (samples.mean(), samples.std()))
