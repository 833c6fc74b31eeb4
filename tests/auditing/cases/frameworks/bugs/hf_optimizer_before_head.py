import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification, get_cosine_schedule_with_warmup, set_seed


def load(seed):
    bunch = load_digits()
    x = (bunch.images[:, None] / 8 - 1).astype("float32")
    return train_test_split(x, bunch.target, test_size=0.3, random_state=seed)


def as_list(x, y):
    return [{"pixel_values": torch.from_numpy(a), "labels": int(b)} for a, b in zip(x, y)]


def build():
    config = ViTConfig(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, image_size=8,
                       patch_size=2, num_channels=1, num_labels=10)
    return ViTForImageClassification(config)


def main():
    set_seed(30)
    x_train, x_eval, y_train, y_eval = load(30)
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)  # <- H202
    schedule = get_cosine_schedule_with_warmup(optimizer, 10, 120)
    # a deeper head
    model.classifier = nn.Sequential(nn.Linear(48, 48), nn.GELU(), nn.Linear(48, 10))
    with tempfile.TemporaryDirectory() as tmp:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(tmp, max_steps=120, per_device_train_batch_size=32, report_to="none", save_strategy="no",
                                   logging_steps=50, use_cpu=True, disable_tqdm=True),
            train_dataset=as_list(x_train, y_train), eval_dataset=as_list(x_eval, y_eval),
            compute_metrics=lambda p: {"acc": float(np.mean(p.predictions.argmax(1) == p.label_ids))},
            optimizers=(optimizer, schedule),
        )
        trainer.train()
        print(trainer.evaluate())


if __name__ == "__main__":
    main()
