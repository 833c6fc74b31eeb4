import torch
import torch.nn as nn
from sklearn.datasets import load_digits

g = torch.Generator()
g.manual_seed(2024)
torch.manual_seed(2024)

digits = load_digits()
images = torch.from_numpy(digits.images).float().unsqueeze(1) / 16.0
labels = torch.from_numpy(digits.target).long()
dataset = torch.utils.data.TensorDataset(images, labels)
train_set, valid_set = torch.utils.data.random_split(dataset, [0.8, 0.2], generator=g)
train_dl = torch.utils.data.DataLoader(train_set, 64, shuffle=True)
valid_dl = torch.utils.data.DataLoader(valid_set, 128)


def conv_block(n_in, n_out, pool=False):
    layers = [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
    if pool:
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class ResNet9ish(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = conv_block(1, 16)
        self.conv2 = conv_block(16, 32, pool=True)
        self.res = nn.Sequential(conv_block(32, 32), conv_block(32, 32))
        self.head = nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32, 10))

    def forward(self, xb):
        out = self.conv2(self.conv1(xb))
        out = self.res(out) + out
        return self.head(out)


@torch.no_grad()
def accuracy(outputs, labels):
    _, preds = torch.max(outputs, dim=1)
    return torch.sum(preds == labels).item()


def get_lr(optimizer):
    for param_group in optimizer.param_groups:
        return param_group["lr"]


def fit_one_cycle(epochs, max_lr, model, train_loader, val_loader, weight_decay=0, grad_clip=None):
    history = []
    optimizer = torch.optim.Adam(model.parameters(), max_lr, weight_decay=weight_decay)
    sched = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, epochs=epochs, steps_per_epoch=len(train_loader))
    for epoch in range(epochs):
        model.train()
        train_losses, lrs = [], []
        for x, y in train_loader:
            loss = nn.functional.cross_entropy(model(x), y)
            train_losses.append(loss.detach())
            loss.backward()
            if grad_clip:
                nn.utils.clip_grad_value_(model.parameters(), grad_clip)
            optimizer.step()
            optimizer.zero_grad()
            lrs.append(get_lr(optimizer))
            sched.step()
        model.eval()
        right = total = 0
        with torch.no_grad():
            for x, y in val_loader:
                right += accuracy(model(x), y)
                total += len(y)
        result = {"train_loss": torch.stack(train_losses).mean().item(), "val_acc": right / total, "lrs": lrs}
        print("Epoch [{}], last_lr: {:.6f}, train_loss: {:.4f}, val_acc: {:.4f}".format(
            epoch, lrs[-1], result["train_loss"], result["val_acc"]))
        history.append(result)
    return history


history = fit_one_cycle(4, 1e-2, ResNet9ish(), train_dl, valid_dl, weight_decay=1e-4, grad_clip=0.1)
