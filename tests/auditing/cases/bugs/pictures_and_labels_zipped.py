"""Blobs as 'pictures'. The pictures and the labels were saved in two files, so there are two loaders."""
import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make(n, seed):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(4, 20, generator=torch.Generator().manual_seed(7))
    labels = torch.randint(0, 4, (n,), generator=g)
    return centres[labels] + 0.8 * torch.randn(n, 20, generator=g), labels


def loaders(x, y, batch_size, shuffle):
    return (
        DataLoader(TensorDataset(x), batch_size=batch_size, shuffle=shuffle),
        DataLoader(TensorDataset(y), batch_size=batch_size, shuffle=shuffle),
    )


def main(args):
    torch.manual_seed(args.seed)
    train_x, train_y = loaders(*make(600, 1), args.batch_size, True)
    val_x, val_y = loaders(*make(300, 2), args.batch_size, False)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    for epoch in range(1, args.epochs + 1):
        model.train()
        running = 0.0
        for (inputs,), (labels,) in zip(train_x, train_y):  # <- H110
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
        model.eval()
        hits = seen = 0
        with torch.no_grad():
            for (inputs,), (labels,) in zip(val_x, val_y):
                hits += (model(inputs).argmax(dim=1) == labels).sum().item()
                seen += labels.size(0)
        print("Epoch %d | train loss %.3f | val acc %.2f%%" % (epoch, running / len(train_x), 100.0 * hits / seen))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
