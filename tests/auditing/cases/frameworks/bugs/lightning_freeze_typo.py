"""A net pretrained on the digits 0-4 is tuned for 5-9; its body is meant to be frozen."""
import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


def body():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())


class Finetuner(L.LightningModule):
    def __init__(self, backbone=None, lr=1e-3):
        super().__init__()
        self.lr = lr
        self.backbone = backbone or body()
        if backbone is not None:
            for param in self.backbone.parameters():
                param.require_grad = False  # <- H203
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        return self.head(self.backbone(x))

    def training_step(self, batch, _):
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, _):
        self.log("val_acc", (self(batch[0]).argmax(1) == batch[1]).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam((p for p in self.parameters() if p.requires_grad), lr=self.lr)


def loaders(lowest, seed):
    x, y = load_digits(return_X_y=True)
    keep = (y >= lowest) & (y < lowest + 5)
    x, y = torch.tensor(x[keep] / 16).float(), torch.tensor(y[keep] - lowest)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    cut = int(0.75 * len(y))
    train, val = order[:cut], order[cut:]
    return (DataLoader(TensorDataset(x[train], y[train]), 32, shuffle=True),
            DataLoader(TensorDataset(x[val], y[val]), 256))


if __name__ == "__main__":
    L.seed_everything(6)
    options = dict(accelerator="cpu", logger=False, enable_checkpointing=False)
    source = Finetuner()
    L.Trainer(max_epochs=3, **options).fit(source, *loaders(0, 6))
    target = Finetuner(backbone=source.backbone, lr=3e-3)
    trainer = L.Trainer(max_epochs=4, **options)
    trainer.fit(target, *loaders(5, 6))
    print(f"linear probe, val acc: {trainer.callback_metrics['val_acc']:.3f}")
