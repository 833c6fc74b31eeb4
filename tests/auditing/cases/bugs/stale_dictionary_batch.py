"""A one-layer transformer that classifies which of four motifs is in a sequence of tokens."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

VOCAB, LENGTH, CLASSES = 30, 16, 4


class Motifs(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(4, VOCAB, (n, LENGTH), generator=g)
        self.labels = torch.randint(CLASSES, (n,), generator=g)
        where = torch.randint(LENGTH, (n,), generator=g)
        self.tokens[torch.arange(n), where] = self.labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"input_ids": self.tokens[i], "labels": self.labels[i]}


class Encoder(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, dim)
        self.layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.1, batch_first=True)
        self.head = nn.Linear(dim, CLASSES)

    def forward(self, input_ids):
        return self.head(self.layer(self.embed(input_ids)).amax(1))


def main():
    torch.manual_seed(0)
    train_dl = DataLoader(Motifs(1200, 1), batch_size=48, shuffle=True)
    eval_dl = DataLoader(Motifs(240, 2), batch_size=48)
    model = Encoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for epoch in range(3):
        model.train()
        for step, batch in enumerate(train_dl):
            outputs = model(batch["input_ids"])
            loss = nn.functional.cross_entropy(outputs, batch["labels"])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        model.eval()
        correct, count = 0, 0
        for step, eval_batch in enumerate(eval_dl):  # also H105
            with torch.no_grad():
                outputs = model(batch["input_ids"])  # <- H104
            correct += (outputs.argmax(-1) == batch["labels"]).sum().item()
            count += len(outputs)
        print(f"epoch {epoch}: loss {loss.item():.4f}, eval accuracy {correct / count:.4f}")  # also H305


if __name__ == "__main__":
    main()
