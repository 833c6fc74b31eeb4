import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(61)
x = torch.randn(1000, 16)
y = (x[:, 0] * x[:, 1] + x[:, 2] + 0.3 * torch.randn(1000) > 0).long()
train_it = DataLoader(TensorDataset(x[:700], y[:700]), batch_size=50, shuffle=True)
val_it = DataLoader(TensorDataset(x[700:], y[700:]), batch_size=150)

model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Dropout(0.0), nn.Linear(32, 2))
start = copy.deepcopy(model.state_dict())
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)

table = []
for p_drop in (0.0, 0.2, 0.5):
    model.load_state_dict(start)  # <- H401
    model[2].p = p_drop
    for epoch in range(5):
        model.train()
        for xb, yb in train_it:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            optimizer.step()
        scheduler.step()
    model.eval()
    with torch.no_grad():
        acc = torch.cat([(model(xb).argmax(1) == yb).float() for xb, yb in val_it]).mean().item()
    table.append((p_drop, acc))

print("dropout | val acc")
for p_drop, acc in table:
    print(f"{p_drop:7.1f} | {acc:.3f}")
