import math
import torch
import torch.nn as nn
from pydoc_data.topics import topics

torch.manual_seed(1111)
TEXT = topics["compound"].lower()[:16000]
# the last tenth is held out in time, before anything is learned
chars = sorted(set(TEXT))
stoi = {c: i for i, c in enumerate(chars)}
ids = torch.tensor([stoi[c] for c in TEXT])
n1, n2 = int(len(ids) * 0.8), int(len(ids) * 0.9)


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data[: nbatch * bsz].view(bsz, -1).t().contiguous()


bptt = 24
train_data, val_data, test_data = batchify(ids[:n1], 20), batchify(ids[n1:n2], 5), batchify(ids[n2:], 5)


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp=24, nhid=64):
        super().__init__()
        self.drop = nn.Dropout(0.1)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        self.ntoken, self.nhid = ntoken, nhid

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        return self.decoder(self.drop(output)).view(-1, self.ntoken), hidden

    def init_hidden(self, bsz):
        w = next(self.parameters())
        return w.new_zeros(1, bsz, self.nhid), w.new_zeros(1, bsz, self.nhid)


def repackage_hidden(h):
    return tuple(v.detach() for v in h)


def get_batch(source, i):
    seq_len = min(bptt, len(source) - 1 - i)
    return source[i : i + seq_len], source[i + 1 : i + 1 + seq_len].view(-1)


model = RNNModel(len(chars))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def evaluate(source):
    model.eval()
    total_loss = 0.0
    hidden = model.init_hidden(source.size(1))
    with torch.no_grad():
        for i in range(0, source.size(0) - 1, bptt):
            data, targets = get_batch(source, i)
            output, hidden = model(data, hidden)
            total_loss += len(data) * criterion(output, targets).item()
    return total_loss / (len(source) - 1)


for epoch in range(1, 6):
    model.train()
    hidden = model.init_hidden(20)
    total, count = 0.0, 0
    for i in range(0, train_data.size(0) - 1, bptt):
        data, targets = get_batch(train_data, i)
        hidden = repackage_hidden(hidden)
        optimizer.zero_grad()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        total += loss.item() * len(data)
        count += len(data)
    val_loss = evaluate(val_data)
    print("| end of epoch {:3d} | train ppl {:6.2f} | valid loss {:5.2f} | valid ppl {:8.2f}".format(
        epoch, math.exp(total / count), val_loss, math.exp(val_loss)))

test_loss = evaluate(test_data)
print("| End of training | test loss {:5.2f} | test ppl {:8.2f}".format(test_loss, math.exp(test_loss)))

model.eval()
with torch.no_grad():
    hidden, token, out = model.init_hidden(1), torch.tensor([[stoi["t"]]]), "t"
    for _ in range(60):
        logits, hidden = model(token, hidden)
        token = torch.multinomial((logits[-1] / 0.8).softmax(-1), 1).view(1, 1)
        out += chars[token.item()]
print(repr(out))
