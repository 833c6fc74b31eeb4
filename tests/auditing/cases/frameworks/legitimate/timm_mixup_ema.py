#!/usr/bin/env python3
""" A short training script after timm's train.py: mixup, label smoothing, EMA of the weights, cosine with warmup. """
import logging
import time
from collections import OrderedDict

import numpy as np
import timm
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from timm.data import Mixup
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.utils import AverageMeter, ModelEmaV2, accuracy, random_seed

_logger = logging.getLogger("train")
logging.basicConfig(level=logging.INFO, format="%(message)s")


def train_one_epoch(epoch, model, loader, optimizer, loss_fn, lr_scheduler, model_ema, mixup_fn):
    losses_m = AverageMeter()
    model.train()
    num_updates = epoch * len(loader)
    for batch_idx, (input, target) in enumerate(loader):
        n = input.size(0)
        input, target = mixup_fn(input, target)
        output = model(input)
        loss = loss_fn(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model_ema.update(model)
        losses_m.update(loss.item(), n)
        num_updates += 1
        lr_scheduler.step_update(num_updates=num_updates, metric=losses_m.avg)
    return OrderedDict([("loss", losses_m.avg)])


@torch.no_grad()
def validate(model, loader, loss_fn, log_suffix=""):
    losses_m, top1_m, top5_m = AverageMeter(), AverageMeter(), AverageMeter()
    model.eval()
    for input, target in loader:
        output = model(input)
        loss = loss_fn(output, target)
        acc1, acc5 = accuracy(output, target, topk=(1, 5))
        losses_m.update(loss.item(), input.size(0))
        top1_m.update(acc1.item(), output.size(0))
        top5_m.update(acc5.item(), output.size(0))
    _logger.info(f"Test{log_suffix}: Loss: {losses_m.avg:>7.4f}  Acc@1: {top1_m.avg:>7.4f}  Acc@5: {top5_m.avg:>7.4f}")
    return OrderedDict([("loss", losses_m.avg), ("top1", top1_m.avg), ("top5", top5_m.avg)])


def main():
    random_seed(42, 0)
    d = load_digits()
    x = torch.tensor(d.images).float().div(16).unsqueeze(1)
    x = torch.nn.functional.interpolate(x, size=32, mode="bilinear")
    y = torch.tensor(d.target)
    p = np.random.permutation(len(y))[:640]
    train, test = p[:480], p[480:]
    loader_train = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[train], y[train]), batch_size=32,
                                               shuffle=True, drop_last=True)
    loader_eval = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[test], y[test]), batch_size=80)

    model = timm.create_model("resnet10t", pretrained=False, in_chans=1, num_classes=10, channels=(8, 16, 32, 64), stem_width=8)
    model_ema = ModelEmaV2(model, decay=0.9)
    optimizer = create_optimizer_v2(model, opt="adamw", lr=5e-3, weight_decay=0.02)
    num_epochs = 5
    lr_scheduler = CosineLRScheduler(optimizer, t_initial=num_epochs * len(loader_train), lr_min=1e-5, warmup_t=10,
                                     warmup_lr_init=1e-4, t_in_epochs=False)
    mixup_fn = Mixup(mixup_alpha=0.2, label_smoothing=0.1, num_classes=10)
    best = None
    for epoch in range(num_epochs):
        start = time.time()
        train_metrics = train_one_epoch(epoch, model, loader_train, optimizer, SoftTargetCrossEntropy(), lr_scheduler,
                                        model_ema, mixup_fn)
        _logger.info(f"Train: {epoch} Loss: {train_metrics['loss']:.3f} ({time.time() - start:.1f}s)")
        validate(model, loader_eval, nn.CrossEntropyLoss())
        ema_metrics = validate(model_ema.module, loader_eval, nn.CrossEntropyLoss(), log_suffix=" (EMA)")
        if best is None or ema_metrics["top1"] > best[0]:
            best = ema_metrics["top1"], epoch
    _logger.info("*** Best metric: {0} (epoch {1})".format(*best))


if __name__ == "__main__":
    main()
