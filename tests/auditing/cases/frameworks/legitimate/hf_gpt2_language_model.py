# character-level GPT-2 from scratch; perplexity on the held-out tail of the text
import math
import random
import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, default_data_collator, set_seed

set_seed(5)
rng = random.Random(5)
subjects = ["the cat", "a dog", "my uncle", "the old man", "no one", "her sister"]
verbs = ["sees", "eats", "paints", "forgets", "sells", "carries"]
objects = ["the moon", "an apple", "two books", "a red house", "the river", "some bread"]
text = " ".join(f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(objects)}." for _ in range(1500))
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
ids = torch.tensor([stoi[c] for c in text])
cut = int(0.9 * len(ids))
BLOCK = 48


class Blocks(Dataset):
    def __init__(self, ids):
        n = len(ids) // BLOCK
        self.blocks = ids[: n * BLOCK].view(n, BLOCK)

    def __len__(self):
        return len(self.blocks)

    def __getitem__(self, i):
        return {"input_ids": self.blocks[i], "labels": self.blocks[i].clone()}


config = GPT2Config(vocab_size=len(chars), n_positions=BLOCK, n_embd=48, n_layer=2, n_head=2,
                    bos_token_id=0, eos_token_id=0)
model = GPT2LMHeadModel(config)
print(f"{sum(p.numel() for p in model.parameters()) / 1e3:.0f}k parameters, {len(chars)} characters")

with tempfile.TemporaryDirectory() as tmp:
    args = TrainingArguments(
        output_dir=tmp, max_steps=80, per_device_train_batch_size=16, gradient_accumulation_steps=2, learning_rate=5e-3,
        lr_scheduler_type="cosine", warmup_steps=8, logging_steps=20, save_strategy="no", report_to=[],
        use_cpu=True, max_grad_norm=1.0,
    )
    trainer = Trainer(model=model, args=args, train_dataset=Blocks(ids[:cut]), eval_dataset=Blocks(ids[cut:]),
                      data_collator=default_data_collator)
    trainer.train()
    metrics = trainer.evaluate()
print("eval loss", round(metrics["eval_loss"], 4), "perplexity", round(math.exp(metrics["eval_loss"]), 3))

model.eval()
start = torch.tensor([[stoi[c] for c in "the "]])
print("".join(chars[i] for i in model.generate(start, max_new_tokens=30, do_sample=False, pad_token_id=0)[0]))
