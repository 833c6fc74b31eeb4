"""Two loaders in validation: new pictures, and some known ones to see the gap."""
import lightning as L
import torch
from lightning.pytorch.callbacks import Timer
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


class GapModule(L.LightningModule):
    names = ("val", "known")

    def __init__(self, train, val, lr=0.1):
        super().__init__()
        self.train_part, self.val_part, self.lr = train, val, lr
        self.net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.net(x)

    def train_dataloader(self):
        return DataLoader(self.train_part, batch_size=32, shuffle=True)

    def val_dataloader(self):
        known = Subset(self.train_part, range(200))
        return [DataLoader(self.val_part, batch_size=200), DataLoader(known, batch_size=200)]

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx, dataloader_idx):
        x, y = batch
        out = self(x)
        name = self.names[dataloader_idx]
        self.log(f"{name}_loss", self.loss(out, y), add_dataloader_idx=False)
        self.log(f"{name}_acc", (out.argmax(1) == y).float().mean(), add_dataloader_idx=False)

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            metrics = self.trainer.callback_metrics
            print(f"{self.current_epoch:2d} val acc {metrics['val_acc']:.4f} | on known ones {metrics['known_acc']:.4f}")

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=1, factor=0.5)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss"}}


def main():
    L.seed_everything(44)
    d = load_digits()
    full = TensorDataset(torch.tensor(d.data).float() / 16, torch.tensor(d.target))
    order = torch.randperm(len(full)).tolist()
    model = GapModule(Subset(full, order[:1300]), Subset(full, order[1300:1500]))
    trainer = L.Trainer(max_epochs=6, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                        accumulate_grad_batches=2, gradient_clip_val=1.0, callbacks=[Timer()])
    trainer.fit(model)


main()
