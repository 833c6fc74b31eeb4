"""Which reviews are good? Embedding bag over a toy vocabulary."""
import logging
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
log = logging.getLogger("sentiment")

GOOD = "great lovely superb warm funny bright clever moving".split()
BAD = "dull awful slow cheap loud bland tired messy".split()
FILL = "the a film plot actor scene story music it was and very".split()
VOCAB = {w: i + 1 for i, w in enumerate(GOOD + BAD + FILL)}


class Reviews(Dataset):
    def __init__(self, n, seed):
        rng = random.Random(seed)
        self.items = []
        for _ in range(n):
            label = int(rng.random() < 0.5)
            words = rng.choices(GOOD if label else BAD, k=2) + rng.choices(GOOD + BAD, k=1) + rng.choices(FILL, k=7)
            rng.shuffle(words)
            self.items.append((torch.tensor([VOCAB[w] for w in words]), label))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class SentimentNet(nn.Module):
    def __init__(self, vocab, dim=16):
        super().__init__()
        self.emb = nn.EmbeddingBag(vocab + 1, dim)
        self.out = nn.Linear(dim, 1)

    def forward(self, tokens):
        return self.out(self.emb(tokens))


class Trainer:
    def __init__(self, model, train_loader, val_loader, lr=5e-3):
        self.model, self.train_loader, self.val_loader = model, train_loader, val_loader
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.loss_fn = nn.BCEWithLogitsLoss()

    def accuracy(self, output, target, topk=1):
        _, pred = output.topk(topk, dim=1)  # <- H301
        return pred.t().eq(target.view(1, -1)).sum().item()

    def train_one_epoch(self):
        self.model.train()
        for tok, lab in self.train_loader:
            self.opt.zero_grad()
            loss = self.loss_fn(self.model(tok).view(-1), lab.float())
            loss.backward()
            self.opt.step()
        return loss.item()

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        hits = n = 0
        for tok, lab in self.val_loader:
            hits += self.accuracy(self.model(tok), lab)
            n += len(lab)
        return hits / n

    def fit(self, epochs):
        for e in range(1, epochs + 1):
            loss = self.train_one_epoch()
            log.info("epoch %d loss %.3f val_acc %.3f", e, loss, self.evaluate())


if __name__ == "__main__":
    torch.manual_seed(11)
    trainer = Trainer(
        SentimentNet(len(VOCAB)),
        DataLoader(Reviews(1200, 1), batch_size=64, shuffle=True),
        DataLoader(Reviews(300, 2), batch_size=64),
    )
    trainer.fit(5)
