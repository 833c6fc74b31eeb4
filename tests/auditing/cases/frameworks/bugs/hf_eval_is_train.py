import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification, set_seed

set_seed(0)
digits = load_digits()


class Pictures(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.pixels = torch.tensor(digits.images[rows], dtype=torch.float32).unsqueeze(1) / 8 - 1
        self.labels = torch.tensor(digits.target[rows])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"pixel_values": self.pixels[i], "labels": self.labels[i]}


order = np.random.permutation(len(digits.target))
train_dataset, eval_dataset = Pictures(order[:1200]), Pictures(order[1200:])


def compute_metrics(eval_pred):
    predictions, labels = eval_pred
    return {"accuracy": float((predictions.argmax(axis=1) == labels).mean())}


model = ViTForImageClassification(ViTConfig(
    hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=8, patch_size=2,
    num_channels=1, num_labels=10))

with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(
        model=model,
        args=TrainingArguments(folder, num_train_epochs=3, per_device_train_batch_size=32, per_device_eval_batch_size=200,
                               learning_rate=3e-3, eval_strategy="epoch", save_strategy="no", report_to="none", use_cpu=True),
        train_dataset=train_dataset,
        eval_dataset=train_dataset,
        compute_metrics=compute_metrics,
    )
    trainer.train()  # <- H101, also H305
    print(trainer.evaluate())  # also H101, also H305
