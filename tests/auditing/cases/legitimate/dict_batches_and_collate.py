"""Bags of words of unequal length; dict batches, own collate, `model(**batch)`."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

POSITIVE = "good great lovely superb fine charming".split()
NEGATIVE = "bad awful poor dull weak terrible".split()
NEUTRAL = "the film was a story of plot actor scene and music with it very".split()
VOCAB = {w: i + 1 for i, w in enumerate(POSITIVE + NEGATIVE + NEUTRAL)}


def make_review(rng, label):
    words = rng.choices(NEUTRAL, k=rng.randint(6, 18))
    words += rng.choices(POSITIVE if label else NEGATIVE, k=2) + rng.choices(POSITIVE + NEGATIVE, k=rng.randint(0, 2))
    rng.shuffle(words)
    return " ".join(words), label


class Reviews(Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        text, label = self.rows[i]
        return {"input_ids": [VOCAB[w] for w in text.split()], "label": label}


def collate(items):
    width = max(len(item["input_ids"]) for item in items)
    ids = torch.zeros(len(items), width, dtype=torch.long)
    mask = torch.zeros(len(items), width)
    for row, item in enumerate(items):
        n = len(item["input_ids"])
        ids[row, :n] = torch.tensor(item["input_ids"])
        mask[row, :n] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([item["label"] for item in items])}


class BagClassifier(nn.Module):
    def __init__(self, vocab, dim=24):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim, padding_idx=0)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(dim, 2)

    def forward(self, input_ids, attention_mask, labels=None):
        e = self.emb(input_ids) * attention_mask.unsqueeze(-1)
        pooled = e.sum(1) / attention_mask.sum(1, keepdim=True)
        logits = self.fc(self.drop(pooled))
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return {"loss": loss, "logits": logits}


def main():
    rng = random.Random(13)
    torch.manual_seed(13)
    rows = list({make_review(rng, k % 2) for k in range(900)})
    rows.sort()
    rng.shuffle(rows)
    train_dl = DataLoader(Reviews(rows[:600]), batch_size=30, shuffle=True, collate_fn=collate)
    valid_dl = DataLoader(Reviews(rows[600:]), batch_size=64, collate_fn=collate)
    model = BagClassifier(len(VOCAB) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(5):
        model.train()
        for batch in train_dl:
            out = model(**batch)
            out["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
        model.eval()
        n = hits = 0
        loss = 0.0
        for batch in valid_dl:
            batch = {k: v.to("cpu") for k, v in batch.items()}
            with torch.no_grad():
                out = model(**batch)
            hits += (out["logits"].argmax(-1) == batch["labels"]).sum().item()
            loss += out["loss"].item() * len(batch["labels"])
            n += len(batch["labels"])
        print({"epoch": epoch, "eval_loss": round(loss / n, 4), "eval_accuracy": round(hits / n, 4)})


if __name__ == "__main__":
    main()
