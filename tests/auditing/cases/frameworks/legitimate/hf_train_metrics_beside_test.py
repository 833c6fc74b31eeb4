import tempfile

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

set_seed(6)


class Rows(torch.utils.data.Dataset):
    def __init__(self, X, y):
        self.X, self.y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"features": self.X[i], "labels": self.y[i]}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3))

    def forward(self, features, labels=None):
        logits = self.layers(features)
        output = {"logits": logits}
        if labels is not None:
            output = {"loss": nn.functional.cross_entropy(logits, labels), **output}
        return output


class PrintLoss(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            print(f"step {state.global_step:3d}  loss {float(logs['loss']):.4f}")


X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.35, stratify=y, random_state=6)
scaler = StandardScaler().fit(X_train)
train_ds, test_ds = Rows(scaler.transform(X_train), y_train), Rows(scaler.transform(X_test), y_test)

args = TrainingArguments(
    tempfile.mkdtemp(), num_train_epochs=15, per_device_train_batch_size=16, learning_rate=1e-2, logging_steps=20,
    save_strategy="no", report_to="none", use_cpu=True, disable_tqdm=True, label_names=["labels"], seed=6,
)
trainer = Trainer(model=Net(), args=args, train_dataset=train_ds, callbacks=[PrintLoss()],
                  compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(1) == p.label_ids).mean())})
trainer.train()
# how well the training rows are known, and how well new ones are
train_metrics = trainer.evaluate(train_ds, metric_key_prefix="train")
test_metrics = trainer.evaluate(test_ds, metric_key_prefix="test")
print(f"train accuracy {train_metrics['train_accuracy']:.3f}  test accuracy {test_metrics['test_accuracy']:.3f}")
predictions = trainer.predict(test_ds).predictions.argmax(1)
print("confusions:", np.count_nonzero(predictions != y_test), "of", len(y_test))
