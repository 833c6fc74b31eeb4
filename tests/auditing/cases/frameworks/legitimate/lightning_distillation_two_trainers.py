from lightning import LightningDataModule, LightningModule, Trainer, seed_everything
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class FoldData(LightningDataModule):
    """One fold of k; the last 297 digits are for the very end."""

    def __init__(self, fold, k=3):
        super().__init__()
        self.fold, self.k = fold, k

    def setup(self, stage):
        x, y = load_digits(return_X_y=True)
        x, y = torch.tensor(x).float() / 16, torch.tensor(y)
        splits = list(KFold(self.k, shuffle=True, random_state=0).split(x[:1500]))
        tr, va = splits[self.fold]
        self.parts = {"fit": TensorDataset(x[tr], y[tr]), "val": TensorDataset(x[va], y[va]),
                      "test": TensorDataset(x[1500:], y[1500:])}

    def train_dataloader(self):
        return DataLoader(self.parts["fit"], batch_size=100, shuffle=True, drop_last=True)

    def val_dataloader(self):
        return DataLoader(self.parts["val"], batch_size=250)

    def test_dataloader(self):
        return DataLoader(self.parts["test"], batch_size=297)


class Classifier(LightningModule):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, _):
        return F.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, _):
        self.log("val_acc", (self(batch[0]).argmax(-1) == batch[1]).float().mean())

    def test_step(self, batch, _):
        self.log("test_acc", (self(batch[0]).argmax(-1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 5e-3)


class Student(Classifier):
    def __init__(self, teacher, width, temperature=3.0):
        super().__init__(width)
        self.teacher = [teacher.eval().requires_grad_(False)]  # in a list: not a submodule
        self.T = temperature

    def training_step(self, batch, _):
        x, y = batch
        with torch.no_grad():
            soft = F.softmax(self.teacher[0](x) / self.T, dim=1)
        out = self(x)
        kd = F.kl_div(F.log_softmax(out / self.T, 1), soft, reduction="batchmean") * self.T**2
        return 0.5 * kd + 0.5 * F.cross_entropy(out, y)


def fit(model, data):
    trainer = Trainer(max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False,
                      enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0)
    trainer.fit(model, datamodule=data)
    val_acc = trainer.callback_metrics["val_acc"].item()
    return val_acc, trainer.test(model, datamodule=data, verbose=False)[0]["test_acc"]


seed_everything(17)
rows = []
for fold in range(2):
    data = FoldData(fold)
    teacher = Classifier(128)
    t_val, _ = fit(teacher, data)
    s_val, s_test = fit(Student(teacher, 16), data)
    rows.append(s_test)
    print(f"fold {fold}: teacher val acc {t_val:.3f}, student val acc {s_val:.3f}, student test acc {s_test:.3f}")
print("student test accuracy, mean of folds: %.3f" % (sum(rows) / len(rows)))
