"""Token tagging with a Trainer subclass: own loss, own optimiser and schedule, padding by a collator."""
import tempfile

import numpy as np
import torch
from torch import nn
from transformers import (
    DistilBertConfig, DistilBertForTokenClassification, Trainer, TrainingArguments, get_linear_schedule_with_warmup, set_seed,
)


class WeightedTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0, 3.0]), ignore_index=-100)
        loss = criterion(outputs.logits.view(-1, 3), labels.view(-1))
        return (loss, outputs) if return_outputs else loss


def make_sentence(rng):
    # tags: 1 after the token 7, 2 for even tokens above 30, otherwise 0
    tokens = rng.integers(3, 40, size=rng.integers(8, 16))
    tags = np.where((tokens > 30) & (tokens % 2 == 0), 2, 0)
    tags[1:][tokens[:-1] == 7] = 1
    return {"input_ids": tokens.tolist(), "labels": tags.tolist()}


def collate(features):
    width = max(len(f["input_ids"]) for f in features)
    fill = lambda values, by: values + [by] * (width - len(values))
    return {
        "input_ids": torch.tensor([fill(f["input_ids"], 0) for f in features]),
        "attention_mask": torch.tensor([fill([1] * len(f["input_ids"]), 0) for f in features]),
        "labels": torch.tensor([fill(f["labels"], -100) for f in features]),
    }


def compute_metrics(p):
    guess = p.predictions.argmax(-1)
    kept = p.label_ids != -100
    return {"token_accuracy": float((guess[kept] == p.label_ids[kept]).mean())}


if __name__ == "__main__":
    set_seed(0)
    rng = np.random.default_rng(0)
    sentences = [make_sentence(rng) for _ in range(800)]
    train_data, eval_data = sentences[:640], sentences[640:]
    model = DistilBertForTokenClassification(
        DistilBertConfig(vocab_size=40, dim=32, n_layers=1, n_heads=2, hidden_dim=64, max_position_embeddings=16, num_labels=3)
    )
    epochs, bs = 3, 16
    steps = epochs * (len(train_data) // bs)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=steps // 10, num_training_steps=steps)
    with tempfile.TemporaryDirectory() as d:
        trainer = WeightedTrainer(
            model=model,
            args=TrainingArguments(d, num_train_epochs=epochs, per_device_train_batch_size=bs, report_to="none", use_cpu=True,
                                   save_strategy="no", eval_strategy="steps", eval_steps=40, disable_tqdm=True),
            train_dataset=train_data, eval_dataset=eval_data, data_collator=collate, compute_metrics=compute_metrics,
            optimizers=(optimizer, schedule),
        )
        trainer.train()
        final = trainer.evaluate()
    print("token accuracy on held-out sentences:", round(final["eval_token_accuracy"], 4))
