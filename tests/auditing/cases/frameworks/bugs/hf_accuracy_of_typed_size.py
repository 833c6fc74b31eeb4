import tempfile

import torch
from sklearn.datasets import load_iris
from torch import nn
from transformers import Trainer, TrainingArguments, set_seed

set_seed(8)


class Flowers(torch.utils.data.Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"x": self.x[i], "labels": self.y[i]}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 16), nn.Linear(16, 3)

    def forward(self, x, labels):
        logits = self.b(torch.tanh(self.a(x)))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


iris = load_iris()
x, y = torch.tensor(iris.data).float(), torch.tensor(iris.target)
order = torch.randperm(150)
train, test = order[:102], order[102:]
x = (x - x[train].mean(0)) / x[train].std(0)


def compute_metrics(p):
    correct = (p.predictions.argmax(1) == p.label_ids).sum()
    return {"correct": int(correct), "accuracy": correct / 50}  # <- H302


trainer = Trainer(
    Net(), TrainingArguments(tempfile.mkdtemp(), num_train_epochs=12, per_device_train_batch_size=17, learning_rate=2e-2,
                             save_strategy="no", report_to="none", use_cpu=True, disable_tqdm=True),
    train_dataset=Flowers(x[train], y[train]), eval_dataset=Flowers(x[test], y[test]), compute_metrics=compute_metrics)
trainer.train()
metrics = trainer.evaluate()
print("test accuracy: %.4f" % metrics["eval_accuracy"])
