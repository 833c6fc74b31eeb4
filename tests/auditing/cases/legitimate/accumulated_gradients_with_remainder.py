import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

ACCUM = 4


def main():
    torch.manual_seed(66)
    features, target = load_digits(return_X_y=True)
    dataset = TensorDataset(torch.from_numpy(features / 16).float(), torch.from_numpy(target))
    train_set, eval_set = random_split(dataset, [1500, 297])
    train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
    eval_loader = DataLoader(eval_set, batch_size=64)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    loss_fn = nn.CrossEntropyLoss(reduction="sum")

    for epoch in range(4):
        model.train()
        seen_in_group = 0
        optimizer.zero_grad()
        for step, (x, y) in enumerate(train_loader, start=1):
            loss_fn(model(x), y).backward()
            seen_in_group += len(y)
            if step % ACCUM == 0 or step == len(train_loader):
                for p in model.parameters():
                    p.grad /= seen_in_group
                optimizer.step()
                optimizer.zero_grad()
                seen_in_group = 0

        model.eval()
        loss, good, n = 0.0, 0, 0
        with torch.no_grad():
            for x, y in eval_loader:
                out = model(x)
                loss += loss_fn(out, y).item()
                good += (out.argmax(1) == y).sum().item()
                n += len(y)
        print(f"epoch {epoch + 1} | eval loss {loss / n:.4f} | eval acc {100 * good / n:.2f}%")


if __name__ == "__main__":
    main()
