# Unequal sequences, packed for a GRU: does the walk end above where it started?
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

torch.manual_seed(77)


def make(n):
    out = []
    for _ in range(n):
        length = int(torch.randint(5, 25, ()))
        steps = torch.randn(length, 1)
        out.append((steps, int(steps.sum() > 0)))
    return out


def collate_fn(batch):
    sequences, targets = zip(*batch)
    lengths = torch.tensor([len(s) for s in sequences])
    return pad_sequence(sequences, batch_first=True), lengths, torch.tensor(targets)


class GRUClassifier(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.rnn(packed)
        return self.fc(h[-1])


train_data, valid_data, test_data = make(600), make(150), make(150)
train_loader = DataLoader(train_data, batch_size=30, shuffle=True, collate_fn=collate_fn)
valid_loader = DataLoader(valid_data, batch_size=40, collate_fn=collate_fn)
test_loader = DataLoader(test_data, batch_size=40, collate_fn=collate_fn)

model = GRUClassifier()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()


def evaluate(iterator):
    epoch_loss, epoch_correct, n = 0, 0, 0
    model.eval()
    with torch.no_grad():
        for text, text_lengths, label in iterator:
            predictions = model(text, text_lengths)
            epoch_loss += criterion(predictions, label).item() * len(label)
            epoch_correct += (predictions.argmax(1) == label).sum().item()
            n += len(label)
    return epoch_loss / n, epoch_correct / n


for epoch in range(5):
    model.train()
    for text, text_lengths, label in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(text, text_lengths), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
    valid_loss, valid_acc = evaluate(valid_loader)
    print(f'Epoch: {epoch + 1:02} | Val. Loss: {valid_loss:.3f} |  Val. Acc: {valid_acc * 100:.2f}%')

test_loss, test_acc = evaluate(test_loader)
print(f'Test Loss: {test_loss:.3f} | Test Acc: {test_acc * 100:.2f}%')
