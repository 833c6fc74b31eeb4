import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH, EPOCHS = 64, 5


class LitMLP(pl.LightningModule):
    def __init__(self, steps_per_epoch, max_lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self.layers(x), y)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        self.log("val_acc", (self.layers(x).argmax(1) == y).float().mean())

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            lr = self.trainer.optimizers[0].param_groups[0]["lr"]
            print(f"epoch {self.current_epoch} val_acc {self.trainer.callback_metrics['val_acc']:.4f} lr {lr:.5f}")

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(  # <- H206
            optimizer, max_lr=self.hparams.max_lr, epochs=EPOCHS, steps_per_epoch=self.hparams.steps_per_epoch)
        return [optimizer], [scheduler]


def main():
    pl.seed_everything(2)
    X, y = load_digits(return_X_y=True)
    X_tr, X_va, y_tr, y_va = train_test_split(torch.tensor(X).float() / 16, torch.tensor(y), test_size=0.2, random_state=2)
    train_dl = DataLoader(TensorDataset(X_tr, y_tr), BATCH, shuffle=True, drop_last=True)
    val_dl = DataLoader(TensorDataset(X_va, y_va), 360)
    model = LitMLP(len(train_dl))
    pl.Trainer(max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
               enable_model_summary=False).fit(model, train_dl, val_dl)


main()
