"""Digits by name; the test part comes from another scanner on which nobody wrote a two."""
import logging

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.preprocessing import LabelEncoder
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("digits")
WORDS = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])

torch.manual_seed(5)
bunch = load_digits()
words = WORDS[bunch.target]
pixels = bunch.data / 16
is_train = np.arange(len(words)) % 10 < 7
keep = ~is_train & (words != "two")


def tensors(x, names):
    codes = LabelEncoder().fit_transform(names)
    return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(codes))


trn_dl = DataLoader(tensors(pixels[is_train], words[is_train]), batch_size=64, shuffle=True)
tst_dl = DataLoader(tensors(pixels[keep], words[keep]), batch_size=128)

clf = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
adam = optim.Adam(clf.parameters(), 3e-3)
for ep in range(6):
    clf.train()
    seen, ok = 0, 0
    for xb, yb in trn_dl:
        adam.zero_grad()
        out = clf(xb)
        nn.functional.cross_entropy(out, yb).backward()
        adam.step()
        ok += int((out.argmax(1) == yb).sum())
        seen += len(yb)
    log.info("epoch %d train acc %.4f", ep, ok / seen)

clf.eval()
ok = n = 0
with torch.inference_mode():
    for xb, yb in tst_dl:
        ok += int((clf(xb).argmax(1) == yb).sum())  # <- H111
        n += yb.numel()
log.info("test acc %.4f on %d digits", ok / n, n)
