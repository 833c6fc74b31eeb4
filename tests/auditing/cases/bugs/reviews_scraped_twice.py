"""Sentiment of short reviews, bag of embeddings. The crawler visited some pages more than once."""
import logging
import random
from collections import Counter

import torch
from torch import nn
from torch.utils.data import DataLoader

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("reviews")
random.seed(11)
torch.manual_seed(11)

GOOD = "great lovely superb charming moving clever bright delightful".split()
BAD = "dull awful tedious clumsy flat noisy grim forgettable".split()
REST = "the film plot actor scene music story ending was a very quite it with and camera dialogue pace city".split()


def make_review():
    label = random.randint(0, 1)
    words = random.choices(REST, k=random.randint(8, 14))
    mood = GOOD if label else BAD
    if random.random() < 0.25:  # irony
        mood = BAD if label else GOOD
    words.insert(random.randrange(len(words)), random.choice(mood))
    return " ".join(words), label


pages = [make_review() for _ in range(500)]
crawl = [random.choice(pages) for _ in range(1200)]

counts = Counter(w for text, _ in crawl for w in text.split())
vocab = {w: i + 1 for i, (w, _) in enumerate(counts.most_common())}

random.shuffle(crawl)
n_val = len(crawl) // 5
val_set, train_set = crawl[:n_val], crawl[n_val:]


def collate(batch):
    ids = [torch.tensor([vocab[w] for w in text.split()]) for text, _ in batch]
    labels = torch.tensor([label for _, label in batch], dtype=torch.float)
    return {"ids": nn.utils.rnn.pad_sequence(ids, batch_first=True), "labels": labels}


class Bag(nn.Module):
    def __init__(self, n_words, dim=24):
        super().__init__()
        self.emb = nn.Embedding(n_words, dim, padding_idx=0)
        self.rnn = nn.GRU(dim, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def forward(self, ids):
        h, _ = self.rnn(self.emb(ids))
        return self.out(h.mean(1)).squeeze(1)


train_loader = DataLoader(train_set, batch_size=32, shuffle=True, collate_fn=collate)
val_loader = DataLoader(val_set, batch_size=64, collate_fn=collate)
model = Bag(len(vocab) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()

for epoch in range(6):
    model.train()
    total = 0.0
    for batch in train_loader:
        logits = model(batch["ids"])
        loss = criterion(logits, batch["labels"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(logits)
    model.eval()
    right = seen = 0
    with torch.no_grad():
        for batch in val_loader:
            guess = (model(batch["ids"]) > 0).float()  # <- H102
            right += int((guess == batch["labels"]).sum())
            seen += len(guess)
    log.info("epoch %d  train loss %.3f  val acc %.3f", epoch + 1, total / len(train_set), right / seen)
