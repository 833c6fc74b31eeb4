"""Fits, and then asks trainer.validate for the final number."""
import torch
import torch.nn as nn
from pytorch_lightning import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale
from torch.utils.data import DataLoader, Subset, TensorDataset

seed_everything(5)


class Cancer(LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.ce = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, idx):
        x, y = batch
        return self.ce(self(x), y)

    def validation_step(self, batch, idx):
        x, y = batch
        self.log("val_accuracy", (self(x).argmax(-1) == y).float().mean(), batch_size=len(y))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=2e-3)


data = load_breast_cancer()
everything = TensorDataset(torch.tensor(scale(data.data), dtype=torch.float32), torch.tensor(data.target))
indices = torch.randperm(len(everything)).tolist()
train_loader = DataLoader(Subset(everything, indices[:400]), batch_size=32, shuffle=True)
held_out = DataLoader(Subset(everything, indices[400:]), batch_size=64)
trainer = Trainer(max_epochs=10, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                  log_every_n_steps=5)
model = Cancer()
trainer.fit(model, train_loader)
result = trainer.validate(model, DataLoader(everything, batch_size=128))  # <- H102
print(f"validation accuracy {result[0]['val_accuracy']:.2%}")
