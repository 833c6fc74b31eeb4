import pytorch_lightning as pl
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class WineClassifier(pl.LightningModule):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, 32), nn.ReLU())
        self.classifier = nn.Linear(32, n_classes)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x):
        return torch.softmax(self.classifier(self.body(x)), dim=1)

    def step(self, batch, name):
        x, y = batch
        probabilities = self(x)
        loss = self.loss(probabilities, y)  # <- H210
        self.log(f"{name}_loss", loss, prog_bar=True)
        self.log(f"{name}_acc", (probabilities.argmax(1) == y).float().mean(), prog_bar=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self.step(batch, "train")

    def validation_step(self, batch, batch_idx):
        self.step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


def main():
    pl.seed_everything(0)
    X, y = load_wine(return_X_y=True)
    X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.3, random_state=0)
    mu, sd = X_tr.mean(0), X_tr.std(0)
    sets = [TensorDataset(torch.tensor((a - mu) / sd).float(), torch.tensor(b)) for a, b in ((X_tr, y_tr), (X_va, y_va))]
    trainer = pl.Trainer(max_epochs=12, accelerator="cpu", logger=False, enable_checkpointing=False, log_every_n_steps=1)
    trainer.fit(WineClassifier(13, 3), DataLoader(sets[0], 31, shuffle=True), DataLoader(sets[1], 54))


if __name__ == "__main__":
    main()
