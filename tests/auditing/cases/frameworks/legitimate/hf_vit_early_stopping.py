from tempfile import mkdtemp

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments, ViTConfig, ViTForImageClassification
from transformers.trainer_utils import set_seed

SEED = 2
set_seed(SEED)

digits = load_digits()
images = (digits.images / 16.0).astype(np.float32)
idx = np.arange(len(images))
idx_train, idx_rest = train_test_split(idx, test_size=0.5, train_size=0.5, random_state=SEED, stratify=digits.target)
idx_val, idx_test = train_test_split(idx_rest, test_size=0.5, random_state=SEED, stratify=digits.target[idx_rest])


class DigitDataset(torch.utils.data.Dataset):
    def __init__(self, indices, train=False):
        self.indices, self.train = indices, train

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, i):
        j = self.indices[i]
        img = torch.from_numpy(images[j])[None]
        if self.train:  # shift by up to one pixel
            dx, dy = np.random.randint(-1, 2, size=2)
            img = torch.roll(img, shifts=(int(dx), int(dy)), dims=(1, 2))
        return {"pixel_values": (img - 0.5) / 0.5, "labels": int(digits.target[j])}


config = ViTConfig(hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96, image_size=8,
                   patch_size=2, num_channels=1, num_labels=10)
model = ViTForImageClassification(config)


def metrics(p):
    return {"acc": accuracy_score(p.label_ids, p.predictions.argmax(-1))}


args = TrainingArguments(
    mkdtemp(), num_train_epochs=10, per_device_train_batch_size=32, per_device_eval_batch_size=128, learning_rate=1.5e-3,
    eval_strategy="epoch", save_strategy="no", warmup_steps=30, metric_for_best_model="acc",
    remove_unused_columns=False, report_to="none", use_cpu=True, seed=SEED, logging_strategy="epoch",
)
trainer = Trainer(
    model=model, args=args, train_dataset=DigitDataset(idx_train, train=True), eval_dataset=DigitDataset(idx_val),
    compute_metrics=metrics, callbacks=[EarlyStoppingCallback(early_stopping_patience=4)],
)
trainer.train()
print(trainer.evaluate(DigitDataset(idx_test), metric_key_prefix="test"))
