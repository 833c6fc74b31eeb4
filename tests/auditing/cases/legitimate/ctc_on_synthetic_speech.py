import random
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

random.seed(0)
torch.manual_seed(0)
VOCAB, BLANK, FEAT = 6, 0, 8
PATTERN = torch.randn(VOCAB, FEAT)


class Utterances(Dataset):
    """Each symbol sounds for two to four frames, with noise."""

    def __init__(self, n):
        self.items = []
        for _ in range(n):
            labels = [random.randint(1, VOCAB - 1) for _ in range(random.randint(3, 6))]
            frames = torch.cat([PATTERN[l].repeat(random.randint(2, 4), 1) for l in labels])
            self.items.append((frames + 0.3 * torch.randn_like(frames), torch.tensor(labels)))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    x = nn.utils.rnn.pad_sequence([b[0] for b in batch], batch_first=True)
    return (x, torch.cat([b[1] for b in batch]), torch.tensor([len(b[0]) for b in batch]), torch.tensor([len(b[1]) for b in batch]))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(FEAT, 32, 3, padding=1)
        self.rnn = nn.GRU(32, 32, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, VOCAB)

    def forward(self, x):
        h = torch.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        return self.fc(self.rnn(h)[0]).log_softmax(-1).transpose(0, 1)


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, p in enumerate(a, 1):
        prev, row[0] = row[0], i
        for j, q in enumerate(b, 1):
            prev, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, prev + (p != q))
    return row[-1]


def decode(logp, n):
    best, out, last = logp[:n].argmax(-1).tolist(), [], BLANK
    for s in best:
        if s != last and s != BLANK:
            out.append(s)
        last = s
    return out


train_dl = DataLoader(Utterances(400), batch_size=40, shuffle=True, collate_fn=collate)
dev_dl = DataLoader(Utterances(80), batch_size=40, collate_fn=collate)
net, ctc = Net(), nn.CTCLoss(blank=BLANK, zero_infinity=True)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(8):
    net.train()
    for x, y, xl, yl in train_dl:
        loss = ctc(net(x), y, xl, yl)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()
    net.eval()
    errors = symbols = 0
    with torch.no_grad():
        for x, y, xl, yl in dev_dl:
            logp = net(x)
            for i, want in enumerate(y.split(yl.tolist())):
                errors += edit_distance(decode(logp[:, i], xl[i]), want.tolist())
                symbols += len(want)
    print(f"epoch {epoch} ctc {loss.item():.3f} dev symbol error rate {errors / symbols:.3f}")
