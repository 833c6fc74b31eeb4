from lightning.pytorch import LightningModule, Trainer, seed_everything
from sklearn.datasets import load_digits
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Net(LightningModule):
    def __init__(self, lr=None):
        super().__init__()
        self.lr = lr
        self.model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch, i):
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def validation_step(self, batch, i):
        self.log("val_acc", (self.model(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)


seed_everything(19)
x, y = load_digits(return_X_y=True)
train, val = random_split(TensorDataset(torch.tensor(x).float() / 16, torch.tensor(y)), [1400, 397])
net = Net()
scores = {}
for lr in [0.001, 0.003, 0.01, 0.03]:
    net.lr = lr
    trainer = Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                      enable_model_summary=False)
    trainer.fit(net, DataLoader(train, 64, shuffle=True), DataLoader(val, 397))  # <- H401
    scores[lr] = trainer.callback_metrics["val_acc"].item()
    print(f"lr={lr:<6} val_acc={scores[lr]:.4f}")
print("best learning rate:", max(scores, key=scores.get))
