"""timm: cosine schedule with warmup is made and never asked."""
import timm
import torch
from sklearn.datasets import load_digits
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import AverageMeter, accuracy
from torch.utils.data import DataLoader, TensorDataset


def loaders(seed=0):
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32)[:, None].repeat_interleave(4, 2).repeat_interleave(4, 3) / 16
    y = torch.tensor(d.target)
    p = torch.randperm(700, generator=torch.Generator().manual_seed(seed))
    tr, va = p[:550], p[550:]
    return (DataLoader(TensorDataset(x[tr], y[tr]), 50, shuffle=True, drop_last=True),
            DataLoader(TensorDataset(x[va], y[va]), 75))


def main(epochs=5):
    torch.manual_seed(0)
    train_loader, val_loader = loaders()
    model = timm.create_model("resnet10t", in_chans=1, num_classes=10, channels=(8, 16, 24, 32), stem_width=8)
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.05, momentum=0.9)
    scheduler, epochs = create_scheduler_v2(optimizer, sched="cosine", num_epochs=epochs, min_lr=1e-4)  # <- H205
    loss_fn = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    for epoch in range(epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
        model.eval()
        top1 = AverageMeter()
        with torch.inference_mode():
            for x, y in val_loader:
                top1.update(accuracy(model(x), y)[0].item(), len(y))
        print(f"epoch {epoch}  val top1 {top1.avg:.2f}")


main()
