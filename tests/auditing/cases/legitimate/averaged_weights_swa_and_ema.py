import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(12)
digits = load_digits()
dataset = TensorDataset(torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1), torch.tensor(digits.target))
train_set, val_set, test_set = random_split(dataset, [1200, 297, 300])
train_loader = DataLoader(train_set, batch_size=60, shuffle=True)
val_loader = DataLoader(val_set, batch_size=100)
test_loader = DataLoader(test_set, batch_size=100)

model = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
ema_model = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95), use_buffers=True)
swa_model = AveragedModel(model)
EPOCHS, SWA_START = 6, 3
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
swa_scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=1)


@torch.no_grad()
def evaluate(net, loader):
    net.eval()
    loss, correct, n = 0.0, 0, 0
    for x, y in loader:
        out = net(x)
        loss += nn.functional.cross_entropy(out, y, reduction="sum").item()
        correct += (out.argmax(1) == y).sum().item()
        n += y.size(0)
    return loss / n, correct / n


for epoch in range(EPOCHS):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        ema_model.update_parameters(model)
    if epoch >= SWA_START:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    vl, va = evaluate(model, val_loader)
    el, ea = evaluate(ema_model, val_loader)
    print(f"epoch {epoch}: val loss {vl:.4f} acc {va:.4f} | ema val loss {el:.4f} acc {ea:.4f}")

update_bn(train_loader, swa_model)   # statistics of the averaged weights
for name, net in [("last", model), ("ema", ema_model), ("swa", swa_model)]:
    print("%s: test loss %.4f, test acc %.4f" % (name, *evaluate(net, test_loader)))
