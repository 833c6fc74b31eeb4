import timm
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(100)
digits = load_digits()
images = torch.nn.functional.interpolate(torch.from_numpy(digits.images).float()[:, None] / 16, scale_factor=2)
labels = torch.from_numpy(digits.target)

# pretraining: is it 0-4 or 5-9?  fine-tuning: which of the ten.  The test rows are in neither.
first, second = next(StratifiedShuffleSplit(1, test_size=300, train_size=700, random_state=100).split(images, labels))
train = DataLoader(TensorDataset(images[first], labels[first]), batch_size=50, shuffle=True)
test = DataLoader(TensorDataset(images[second], labels[second]), batch_size=100)


def run_epoch(model, loader, optimizer, target_of):
    total = 0.0
    model.train()
    for images_, labels_ in loader:
        loss = torch.nn.functional.cross_entropy(model(images_), target_of(labels_))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels_)
    return total / len(loader.dataset)


@torch.inference_mode()
def score(model, loader, target_of):
    model.eval()
    hits = sum((model(a).argmax(-1) == target_of(b)).sum().item() for a, b in loader)
    return hits / len(loader.dataset)


half = lambda t: (t >= 5).long()
same = lambda t: t
model = timm.create_model("resnet10t", pretrained=False, in_chans=1, num_classes=2, channels=(8, 16, 24, 32), stem_width=8,
                          drop_rate=0.1)
opt = create_optimizer_v2(model, "adamw", lr=3e-3)
for e in range(2):
    print("pretrain", e, round(run_epoch(model, train, opt, half), 4))

model.reset_classifier(10)
for name, parameter in model.named_parameters():
    parameter.requires_grad = name.startswith("fc")
opt = create_optimizer_v2(filter(lambda p: p.requires_grad, model.parameters()), "adamw", lr=1e-2)
print("head only", round(run_epoch(model, train, opt, same), 4))

for parameter in model.parameters():
    parameter.requires_grad = True
opt = create_optimizer_v2(model, "adamw", lr=2e-3, weight_decay=0.05)
sched, n_epochs = create_scheduler_v2(opt, sched="cosine", num_epochs=4, warmup_epochs=1, warmup_lr=1e-4)
for e in range(n_epochs):
    sched.step(e)
    loss = run_epoch(model, train, opt, same)
    print(f"finetune {e}: loss {loss:.4f} test acc {score(model, test, same):.4f} lr {opt.param_groups[0]['lr']:.2e}")
