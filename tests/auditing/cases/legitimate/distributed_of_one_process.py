import argparse
import os
import tempfile

import torch
import torch.distributed as dist
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, Subset, TensorDataset
from torch.utils.data.distributed import DistributedSampler


def main(args):
    init_file = os.path.join(tempfile.mkdtemp(), "init")
    dist.init_process_group("gloo", init_method="file://" + init_file, rank=0, world_size=1)
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(args.seed)

    d = load_digits()
    full = TensorDataset(torch.tensor(d.data / 16.0, dtype=torch.float32), torch.tensor(d.target))
    perm = torch.randperm(len(full), generator=torch.Generator().manual_seed(args.seed)).tolist()
    train_set, val_set = Subset(full, perm[:1440]), Subset(full, perm[1440:])
    train_sampler = DistributedSampler(train_set, num_replicas=world, rank=rank, shuffle=True, seed=args.seed)
    val_sampler = DistributedSampler(val_set, num_replicas=world, rank=rank, shuffle=False)
    train_loader = DataLoader(train_set, batch_size=args.batch_size, sampler=train_sampler, drop_last=True)
    val_loader = DataLoader(val_set, batch_size=args.batch_size, sampler=val_sampler)

    model = DDP(nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10))))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[3, 5], gamma=0.3)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(args.epochs):
        train_sampler.set_epoch(epoch)
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        scheduler.step()

        model.eval()
        stats = torch.zeros(3)
        with torch.no_grad():
            for x, y in val_loader:
                out = model(x)
                stats += torch.tensor([nn.functional.cross_entropy(out, y, reduction="sum").item(), (out.argmax(1) == y).sum().item(), len(y)])
        dist.all_reduce(stats)
        if rank == 0:
            print(f"Epoch {epoch}: val loss {stats[0] / stats[2]:.4f}, val acc {stats[1] / stats[2]:.4f}, lr {scheduler.get_last_lr()[0]:.3f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", default=6, type=int)
    p.add_argument("--batch_size", default=64, type=int)
    p.add_argument("--seed", default=0, type=int)
    main(p.parse_args())
