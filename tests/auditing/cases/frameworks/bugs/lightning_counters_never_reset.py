import pytorch_lightning as pl
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10))
        self.criterion = nn.CrossEntropyLoss()
        self.correct = 0
        self.total = 0

    def training_step(self, batch, batch_idx):
        x, y = batch
        return self.criterion(self.model(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.correct += (self.model(x).argmax(dim=1) == y).sum().item()
        self.total += y.size(0)

    def on_validation_epoch_end(self):
        print(f"Epoch {self.current_epoch}: val_acc = {self.correct / self.total:.4f}")  # <- H303

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


if __name__ == "__main__":
    pl.seed_everything(71)
    X, y = load_digits(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(torch.tensor(X / 16).float(), torch.tensor(y), test_size=0.25, random_state=71)
    trainer = pl.Trainer(max_epochs=5, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                         num_sanity_val_steps=0)
    trainer.fit(Classifier(), DataLoader(TensorDataset(X_train, y_train), 64, shuffle=True),
                DataLoader(TensorDataset(X_val, y_val), 64))
