# has its own evaluation in a hook, because "validation_step is too complicated"
import lightning as L
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from torch.utils.data import DataLoader, TensorDataset, random_split


class Model(L.LightningModule):
    def __init__(self, val_loader):
        super().__init__()
        self.val_loader = val_loader
        self.net = nn.Sequential(nn.Linear(30, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, i):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def on_train_epoch_end(self):
        n_right = n = 0
        with torch.no_grad():
            for x, y in self.val_loader:
                n_right += (self(x).argmax(1) == y).sum().item()  # <- H208
                n += len(y)
        print("epoch %d: validation accuracy %.4f" % (self.current_epoch, n_right / n))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


L.seed_everything(64)
X, y = load_breast_cancer(return_X_y=True)
X = torch.tensor(X).float()
train, val = random_split(TensorDataset(X, torch.tensor(y)), [400, 169])
mean, std = X[train.indices].mean(0), X[train.indices].std(0)
train.dataset.tensors = ((X - mean) / std, train.dataset.tensors[1])
model = Model(DataLoader(val, batch_size=32))
trainer = L.Trainer(max_epochs=6, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                    enable_model_summary=False)
trainer.fit(model, DataLoader(train, batch_size=20, shuffle=True))
