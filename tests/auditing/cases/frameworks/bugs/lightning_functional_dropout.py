import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class Tabular(L.LightningModule):
    def __init__(self, d_in, d_hidden=64, p=0.5):
        super().__init__()
        self.inp = torch.nn.Linear(d_in, d_hidden)
        self.mid = torch.nn.Linear(d_hidden, d_hidden)
        self.out = torch.nn.Linear(d_hidden, 1)
        self.p = p

    def forward(self, x):
        x = F.relu(self.inp(x))
        x = F.dropout(x, self.p)  # <- H209
        x = F.relu(self.mid(x))
        return self.out(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.binary_cross_entropy_with_logits(self(x), y)

    def on_test_start(self):
        self.right = self.total = 0

    def test_step(self, batch, batch_idx):
        x, y = batch
        self.right += ((self(x) > 0) == (y > 0.5)).sum().item()
        self.total += len(y)

    def on_test_end(self):
        print("test accuracy: %d/%d = %.4f" % (self.right, self.total, self.right / self.total))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


L.seed_everything(88)
X, y = load_breast_cancer(return_X_y=True)
X1, X2, y1, y2 = train_test_split(X, y, test_size=0.3, random_state=88)
mean, std = X1.mean(0), X1.std(0)
tensors = lambda X, y: TensorDataset(torch.tensor((X - mean) / std).float(), torch.tensor(y).float())
trainer = L.Trainer(max_epochs=10, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
net = Tabular(30)
trainer.fit(net, DataLoader(tensors(X1, y1), batch_size=32, shuffle=True))
trainer.test(net, DataLoader(tensors(X2, y2), batch_size=100))
