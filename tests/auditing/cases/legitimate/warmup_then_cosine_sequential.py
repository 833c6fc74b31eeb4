import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

torch.manual_seed(0)
EPOCHS, WARMUP = 40, 5

X, y = load_iris(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
sc = StandardScaler()
X_tr = torch.tensor(sc.fit_transform(X_tr)).float()
X_te = torch.tensor(sc.transform(X_te)).float()
y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
sched = SequentialLR(
    opt,
    schedulers=[LinearLR(opt, start_factor=0.1, total_iters=WARMUP), CosineAnnealingLR(opt, T_max=EPOCHS - WARMUP, eta_min=1e-3)],
    milestones=[WARMUP],
)
lf = nn.CrossEntropyLoss()

for e in range(EPOCHS):
    net.train()
    opt.zero_grad()
    loss = lf(net(X_tr), y_tr)
    loss.backward()
    opt.step()
    sched.step()
    if (e + 1) % 10 == 0:
        net.eval()
        with torch.no_grad():
            tr_acc = (net(X_tr).argmax(1) == y_tr).float().mean().item()
            te_acc = (net(X_te).argmax(1) == y_te).float().mean().item()
        print(f"epoch {e + 1}: loss={loss.item():.4f} train acc={tr_acc:.3f} test acc={te_acc:.3f} lr={opt.param_groups[0]['lr']:.4f}")
