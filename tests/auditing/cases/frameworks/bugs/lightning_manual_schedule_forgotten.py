# manual optimisation: Lightning steps no scheduler by itself then
import lightning.pytorch as pl
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Model(pl.LightningModule):
    def __init__(self, max_epochs):
        super().__init__()
        self.automatic_optimization = False
        self.max_epochs = max_epochs
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        self.loss_fn = nn.CrossEntropyLoss()

    def training_step(self, batch, batch_idx):
        opt = self.optimizers()
        images, labels = batch
        loss = self.loss_fn(self.net(images), labels)
        opt.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(opt, gradient_clip_val=1.0, gradient_clip_algorithm="norm")
        opt.step()
        self.log("train_loss", loss, prog_bar=True)

    def validation_step(self, batch, batch_idx):
        images, labels = batch
        logits = self.net(images)
        self.log_dict({"val_loss": self.loss_fn(logits, labels), "val_acc": (logits.argmax(1) == labels).float().mean()},
                      prog_bar=True)

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.2, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.max_epochs)  # <- H205
        return [optimizer], [scheduler]


pl.seed_everything(33)
digits = load_digits()
full = TensorDataset(torch.tensor(digits.images).float() / 16, torch.tensor(digits.target))
train, val = random_split(full, [1437, 360])
epochs = 5
trainer = pl.Trainer(max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False)
trainer.fit(Model(epochs), DataLoader(train, 64, shuffle=True), DataLoader(val, 360))
