import numpy as np
import lightning as L
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

AUGMENT = T.Compose([T.RandomRotation(15), T.RandomCrop(16, padding=2), T.ToTensor(), T.Normalize((0.3,), (0.35,))])


class Digits(Dataset):
    def __init__(self, rows, transform=AUGMENT):
        bunch = load_digits()
        self.images, self.labels = bunch.images[rows], bunch.target[rows]
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = Image.fromarray((self.images[i] * 15).astype(np.uint8)).resize((16, 16))
        return self.transform(image), int(self.labels[i])


class ConvNet(L.LightningModule):
    def __init__(self, learning_rate: float = 3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(32 * 16, 10)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_acc", (self(x).argmax(1) == y).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)


if __name__ == "__main__":
    L.seed_everything(12)
    rows = np.random.permutation(800)
    train, val = Digits(rows[:600]), Digits(rows[600:])
    trainer = L.Trainer(max_epochs=4, accelerator="cpu", enable_checkpointing=False, logger=False, enable_model_summary=False)
    trainer.fit(ConvNet(), DataLoader(train, 40, shuffle=True), DataLoader(val, 100))  # <- H106
    print("val acc", float(trainer.callback_metrics["val_acc"]))
