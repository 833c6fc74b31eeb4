import argparse

import lightning.pytorch as pl
import torch
import torchmetrics
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--max_epochs", type=int, default=15)
parser.add_argument("--lr", type=float, default=0.02)
parser.add_argument("--seed", type=int, default=7)
args = parser.parse_args()

pl.seed_everything(args.seed, workers=True, verbose=False)

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=args.seed)
X_train, X_val, y_train, y_val = train_test_split(X_train, y_train, test_size=0.2, stratify=y_train, random_state=args.seed)
scaler = StandardScaler().fit(X_train)


def make_loader(X, y, **kw):
    ds = TensorDataset(torch.from_numpy(scaler.transform(X)).float(), torch.from_numpy(y))
    return DataLoader(ds, batch_size=16, **kw)


class WineNet(pl.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.layers = nn.Sequential(nn.Linear(13, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))
        self.criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
        metrics = torchmetrics.MetricCollection(
            {"acc": torchmetrics.Accuracy(task="multiclass", num_classes=3),
             "f1": torchmetrics.F1Score(task="multiclass", num_classes=3, average="macro")}
        )
        self.train_metrics = metrics.clone(prefix="train/")
        self.val_metrics = metrics.clone(prefix="val/")
        self.test_metrics = metrics.clone(prefix="test/")

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, _):
        x, y = batch
        out = self(x)
        loss = self.criterion(out, y)
        self.train_metrics.update(out, y)
        self.log_dict(self.train_metrics, on_step=False, on_epoch=True)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        out = self(x)
        self.val_metrics.update(out, y)
        self.log_dict(self.val_metrics)
        self.log("val/loss", self.criterion(out, y), prog_bar=True)

    def test_step(self, batch, _):
        x, y = batch
        self.test_metrics(self(x), y)
        self.log_dict(self.test_metrics)

    def predict_step(self, batch, _):
        return self(batch[0]).softmax(-1)

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9, weight_decay=1e-4)
        sched = torch.optim.lr_scheduler.OneCycleLR(
            opt, max_lr=self.lr, total_steps=int(self.trainer.estimated_stepping_batches)
        )
        return {"optimizer": opt, "lr_scheduler": {"scheduler": sched, "interval": "step"}}


model = WineNet(args.lr)
trainer = pl.Trainer(
    max_epochs=args.max_epochs, accelerator="cpu", logger=False, enable_checkpointing=False, deterministic=True,
    check_val_every_n_epoch=5, gradient_clip_val=1.0, log_every_n_steps=1, enable_progress_bar=True,
)
trainer.fit(model, make_loader(X_train, y_train, shuffle=True), make_loader(X_val, y_val))
trainer.validate(model, make_loader(X_val, y_val))
results = trainer.test(model, make_loader(X_test, y_test))
probabilities = torch.cat(trainer.predict(model, make_loader(X_test, y_test)))
acc = (probabilities.argmax(1).numpy() == y_test).mean()
print(f"test accuracy: {acc:.4f}  (lightning says {results[0]['test/acc']:.4f})")
