import contextlib

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
use_amp = True
accum = 4

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.2, random_state=0, stratify=y)
mk = lambda a, b: TensorDataset(torch.as_tensor(a, dtype=torch.float32), torch.as_tensor(b))
train_loader = DataLoader(mk(X_train, y_train), batch_size=16, shuffle=True, num_workers=0, pin_memory=False)
test_loader = DataLoader(mk(X_test, y_test), batch_size=128)

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler(device.type, enabled=use_amp)
off = torch.amp.GradScaler("cpu", enabled=False)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(5):
    model.train()
    running = seen = 0
    optimizer.zero_grad(set_to_none=True)
    n_batches = len(train_loader)
    for i, (x, t) in enumerate(train_loader):
        x, t = x.to(device, non_blocking=True), t.to(device, non_blocking=True)
        with torch.autocast(device_type=device.type, dtype=torch.bfloat16, enabled=use_amp):
            out = model(x)
            loss = loss_fn(out, t)
        # the last group of the epoch is smaller
        group = min(accum, n_batches - (i // accum) * accum)
        scaler.scale(loss / group).backward()
        if (i + 1) % accum == 0 or i + 1 == n_batches:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
        running += loss.item() * len(t)
        seen += len(t)
    model.eval()
    correct = 0
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16) if use_amp else contextlib.nullcontext():
        for x, t in test_loader:
            correct += (model(x.to(device)).argmax(1).cpu() == t).sum().item()
    print(f"Epoch {epoch} | loss {running / seen:.4f} | test acc {correct / len(test_loader.dataset):.4f} | scale {scaler.get_scale():g}")

# a last fine-tuning epoch in full precision, through a scaler that is switched off
optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
model.train()
for x, t in train_loader:
    optimizer.zero_grad()
    loss = loss_fn(model(x.to(device)), t.to(device))
    off.scale(loss).backward()
    off.step(optimizer)
    off.update()
model.eval()
with torch.no_grad():
    correct = sum((model(x.to(device)).argmax(1).cpu() == t).sum().item() for x, t in test_loader)
print(f"after fine-tuning: test acc {correct / len(test_loader.dataset):.4f}")
