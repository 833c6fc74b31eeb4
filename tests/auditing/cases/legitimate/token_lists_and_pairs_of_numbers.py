# Similar sentences: items are pairs of rows in a table, the table itself is split first.
import random

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

rng = random.Random(0)
torch.manual_seed(0)
TOPICS, WORDS = 6, 12


def sentence(topic):
    return [topic * WORDS + rng.randrange(WORDS) if rng.random() < 0.8 else rng.randrange(TOPICS * WORDS) for _ in range(9)]


def table(n):
    topics = [rng.randrange(TOPICS) for _ in range(n)]
    return [sentence(t) for t in topics], topics


class SentencePairs(Dataset):
    def __init__(self, n_rows, n_pairs):
        self.rows, self.topics = table(n_rows)
        self.pairs = []
        while len(self.pairs) < n_pairs:
            i, j = rng.randrange(n_rows), rng.randrange(n_rows)
            same = self.topics[i] == self.topics[j]
            if i != j and (same or rng.random() < 0.2):
                self.pairs.append((i, j, int(same)))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        i, j, same = self.pairs[k]
        return torch.tensor(self.rows[i]), torch.tensor(self.rows[j]), same


class Matcher(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(TOPICS * WORDS, 16)
        self.out = nn.Linear(1, 2)

    def forward(self, a, b):
        return self.out(torch.cosine_similarity(self.bag(a), self.bag(b)).unsqueeze(1))


train_loader = DataLoader(SentencePairs(300, 1200), batch_size=40, shuffle=True)
test_loader = DataLoader(SentencePairs(300, 400), batch_size=40)
model = Matcher()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
for epoch in range(5):
    model.train()
    for a, b, same in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(a, b), same)
        loss.backward()
        optimizer.step()
    model.eval()
    n = good = 0
    with torch.no_grad():
        for a, b, same in test_loader:
            good += (model(a, b).argmax(1) == same).sum().item()
            n += len(same)
    print(f"epoch {epoch} test accuracy {good / n:.3f}")
