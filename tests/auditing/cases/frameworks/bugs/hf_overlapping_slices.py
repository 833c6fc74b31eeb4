"""Spam or not, by a small BERT. The rows are sliced by hand."""
import random
import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

set_seed(4)
rng = random.Random(4)


def message(i):
    spam = i % 2
    tokens = [rng.randrange(10, 60) for _ in range(10)]
    for k in rng.sample(range(10), 2):
        tokens[k] = rng.randrange(2, 6) if spam and rng.random() < 0.85 else rng.randrange(6, 10)
    return {"input_ids": [1, *tokens], "labels": spam}


rows = [message(i) for i in range(700)]
rng.shuffle(rows)


def accuracy(p):
    return {"accuracy": (p.predictions.argmax(-1) == p.label_ids).mean()}


def run():
    n_train, n_test = 600, 200
    train, test = rows[:n_train], rows[-n_test:]
    print(len(train), "messages for training,", len(test), "for testing")
    config = BertConfig(vocab_size=60, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
                        max_position_embeddings=16)
    with tempfile.TemporaryDirectory() as out:
        args = TrainingArguments(output_dir=out, num_train_epochs=4, per_device_train_batch_size=25, learning_rate=3e-3,
                                 per_device_eval_batch_size=50, report_to="none", save_strategy="no", use_cpu=True,
                                 disable_tqdm=True, logging_steps=24)
        trainer = Trainer(BertForSequenceClassification(config), args, train_dataset=train, compute_metrics=accuracy)
        trainer.train()
        metrics = trainer.evaluate(test, metric_key_prefix="test")  # <- H102
    print("test accuracy: {:.1%}".format(metrics["test_accuracy"]))


run()
