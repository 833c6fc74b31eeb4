import math

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset


def cosine_schedule_with_warmup(optimizer, warmup_steps, total_steps, floor=0.05):
    def factor(step):
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))

    return LambdaLR(optimizer, factor)


def main(epochs=8, batch_size=48, lr=2e-3):
    torch.manual_seed(123)
    bunch = load_digits()
    x = torch.as_tensor(bunch.data, dtype=torch.float32).div(16)
    y = torch.as_tensor(bunch.target)
    perm = torch.randperm(len(x))
    x, y = x[perm], y[perm]
    cut = int(0.8 * len(x))
    train_iter = DataLoader(TensorDataset(x[:cut], y[:cut]), batch_size, shuffle=True)
    valid_iter = DataLoader(TensorDataset(x[cut:], y[cut:]), batch_size)

    net = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.LayerNorm(96), nn.Linear(96, 10))
    decay = [p for p in net.parameters() if p.ndim > 1]
    no_decay = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": no_decay, "weight_decay": 0.0}], lr=lr)
    total = epochs * len(train_iter)
    scheduler = cosine_schedule_with_warmup(optimizer, total // 10, total)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    step = 0
    for epoch in range(epochs):
        net.train()
        for xb, yb in train_iter:
            loss = criterion(net(xb), yb)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            step += 1
            if step % 40 == 0:
                print(f"step {step}/{total} loss {loss.item():.3f} lr {scheduler.get_last_lr()[0]:.2e}")
        net.eval()
        n_right = 0
        with torch.no_grad():
            for xb, yb in valid_iter:
                n_right += int((net(xb).argmax(-1) == yb).sum())
        print(f"[{epoch}] validation accuracy = {n_right / (len(x) - cut):.4f}")


if __name__ == "__main__":
    main()
