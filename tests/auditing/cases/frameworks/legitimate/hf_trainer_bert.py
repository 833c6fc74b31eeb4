"""Sentiment of made-up reviews with a tiny BERT and the Hugging Face Trainer."""
import random
import tempfile

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

GOOD = "lovely great superb bright tender clever warm funny".split()
BAD = "dull awful poor grim slow boring flat silly".split()
FILL = "the film was a story about some people in town and their dog with music by night".split()
VOCAB = {w: i + 3 for i, w in enumerate(GOOD + BAD + FILL)}  # 0 pad, 1 cls, 2 sep


def review(rng):
    label = rng.randint(0, 1)
    words = [rng.choice(FILL) for _ in range(rng.randint(6, 12))]
    for _ in range(3):
        # one in five opinions is of the other side
        side = label if rng.random() < 0.8 else 1 - label
        words.insert(rng.randrange(len(words)), rng.choice(GOOD if side else BAD))
    return words, label


class Reviews(torch.utils.data.Dataset):
    def __init__(self, samples, max_len=20):
        self.samples, self.max_len = samples, max_len

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, idx):
        words, label = self.samples[idx]
        ids = [1] + [VOCAB[w] for w in words][: self.max_len - 2] + [2]
        mask = [1] * len(ids) + [0] * (self.max_len - len(ids))
        ids = ids + [0] * (self.max_len - len(ids))
        return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask), "labels": torch.tensor(label)}


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    preds = np.argmax(logits, axis=-1)
    tp = ((preds == 1) & (labels == 1)).sum()
    precision, recall = tp / max((preds == 1).sum(), 1), tp / max((labels == 1).sum(), 1)
    return {"accuracy": (preds == labels).mean().item(), "f1": float(2 * precision * recall / max(precision + recall, 1e-9))}


def main():
    set_seed(11)
    rng = random.Random(11)
    unique = {}
    while len(unique) < 900:
        words, label = review(rng)
        unique[" ".join(words)] = (words, label)
    samples = list(unique.values())
    rng.shuffle(samples)
    train, dev, test = Reviews(samples[:600]), Reviews(samples[600:750]), Reviews(samples[750:])

    config = BertConfig(vocab_size=len(VOCAB) + 3, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                        intermediate_size=64, max_position_embeddings=32, num_labels=2)
    model = BertForSequenceClassification(config)
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            output_dir=out, num_train_epochs=4, per_device_train_batch_size=32, per_device_eval_batch_size=64,
            learning_rate=3e-3, warmup_steps=10, weight_decay=0.01, eval_strategy="epoch", save_strategy="no",
            logging_steps=10, report_to="none", use_cpu=True, disable_tqdm=True, seed=11,
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=train, eval_dataset=dev, compute_metrics=compute_metrics)
        trainer.train()
        print("dev:", trainer.evaluate())
        output = trainer.predict(test)
    print("test accuracy: %.4f" % output.metrics["test_accuracy"])


if __name__ == "__main__":
    main()
