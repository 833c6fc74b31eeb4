"""ImageNet-style script on very small pictures."""
import time

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class AverageMeter(object):
    """Computes and stores the average and current value"""

    def __init__(self, name, fmt=':f'):
        self.name = name
        self.fmt = fmt
        self.reset()

    def reset(self):
        self.val = 0
        self.avg = 0
        self.sum = 0
        self.count = 0

    def update(self, val, n=1):
        self.val = val
        self.sum += val * n
        self.count += n
        self.avg = self.sum / self.count

    def __str__(self):
        return ('{name} {avg' + self.fmt + '}').format(**self.__dict__)


def accuracy(output, target, topk=(1,)):
    with torch.no_grad():
        maxk = max(topk)
        _, pred = output.topk(maxk, 1, True, True)
        correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
        return [correct[:k].reshape(-1).float().sum(0).mul_(100.0 / target.size(0)) for k in topk]


def train(train_loader, model, criterion, optimizer):
    model.train()
    for images, target in train_loader:
        loss = criterion(model(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def validate(val_loader, model, criterion, losses, top1, top5):
    model.eval()
    with torch.no_grad():
        for images, target in val_loader:
            output = model(images)
            loss = criterion(output, target)
            acc1, acc5 = accuracy(output, target, topk=(1, 5))
            losses.update(loss.item(), images.size(0))
            top1.update(acc1.item(), images.size(0))
            top5.update(acc5.item(), images.size(0))
    print(' * Acc@1 {:.3f} Acc@5 {:.3f} Loss {:.4f}'.format(top1.avg, top5.avg, losses.avg))  # <- H303
    return top1.avg


def main():
    torch.manual_seed(2)
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 16
    y = torch.tensor(digits.target)
    p = torch.randperm(len(x))
    train_loader = DataLoader(TensorDataset(x[p[:1300]], y[p[:1300]]), batch_size=64, shuffle=True)
    val_loader = DataLoader(TensorDataset(x[p[1300:]], y[p[1300:]]), batch_size=64)
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    losses, top1, top5 = AverageMeter('Loss'), AverageMeter('Acc@1'), AverageMeter('Acc@5')
    best_acc1 = 0
    for epoch in range(4):
        end = time.time()
        train(train_loader, model, criterion, optimizer)
        print(f'Epoch {epoch} took {time.time() - end:.0f} s')
        best_acc1 = max(validate(val_loader, model, criterion, losses, top1, top5), best_acc1)


if __name__ == '__main__':
    main()
