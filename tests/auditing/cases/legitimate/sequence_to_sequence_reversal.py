"""GRU encoder-decoder that reverses digit strings; teacher forcing in training, greedy decoding in test."""
import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

random.seed(9)
torch.manual_seed(9)
PAD, SOS, EOS = 0, 1, 2


def make_pairs(n):
    out = set()
    while len(out) < n:
        out.add(tuple(random.randint(3, 8) for _ in range(random.randint(3, 6))))
    return sorted(out, key=lambda s: random.random())


pairs = make_pairs(1200)
train_pairs, test_pairs = pairs[:1000], pairs[1000:]


def collate(batch):
    src = pad_sequence([torch.tensor(s) for s in batch], batch_first=True, padding_value=PAD)
    tgt = pad_sequence([torch.tensor((SOS, *reversed(s), EOS)) for s in batch], batch_first=True, padding_value=PAD)
    lengths = torch.tensor([len(s) for s in batch])
    return src, lengths, tgt


train_loader = DataLoader(train_pairs, batch_size=50, shuffle=True, collate_fn=collate)
test_loader = DataLoader(test_pairs, batch_size=50, collate_fn=collate)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 16, padding_idx=PAD)
        self.gru = nn.GRU(16, 64, batch_first=True)

    def forward(self, src, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.emb(src), lengths, batch_first=True, enforce_sorted=False)
        return self.gru(packed)[1]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(9, 16, padding_idx=PAD)
        self.gru = nn.GRU(16, 64, batch_first=True)
        self.out = nn.Linear(64, 9)

    def forward(self, tokens, h):
        o, h = self.gru(self.emb(tokens), h)
        return self.out(o), h


enc, dec = Encoder(), Decoder()
enc_opt = torch.optim.Adam(enc.parameters(), lr=5e-3)
dec_opt = torch.optim.Adam(dec.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)


def greedy(src, lengths, steps=8):
    h = enc(src, lengths)
    tok = torch.full((len(src), 1), SOS)
    done = []
    for _ in range(steps):
        logits, h = dec(tok, h)
        tok = logits.argmax(-1)
        done.append(tok)
    return torch.cat(done, 1)


for epoch in range(1, 9):
    enc.train(), dec.train()
    loss_sum, tokens = 0.0, 0
    for src, lengths, tgt in train_loader:
        enc_opt.zero_grad()
        dec_opt.zero_grad()
        logits, _ = dec(tgt[:, :-1], enc(src, lengths))
        gold = tgt[:, 1:]
        loss = criterion(logits.reshape(-1, 9), gold.reshape(-1))
        loss.backward()
        enc_opt.step()
        dec_opt.step()
        k = (gold != PAD).sum().item()
        loss_sum += loss.item() * k
        tokens += k
    enc.eval(), dec.eval()
    exact = 0
    with torch.no_grad():
        for src, lengths, tgt in test_loader:
            guess = greedy(src, lengths)
            for g, t in zip(guess.tolist(), tgt[:, 1:].tolist()):
                want = [c for c in t if c != PAD]
                exact += g[: len(want)] == want
    print(f"epoch {epoch}: loss per token {loss_sum / tokens:.4f}, exact match on test {exact / len(test_pairs):.3f}")
