"""Knowledge distillation of a wide net into a narrow one."""
import itertools

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(14)
d = load_digits()
x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
i = torch.randperm(len(x))
train_loader = DataLoader(TensorDataset(x[i[:1300]], y[i[:1300]]), batch_size=65, shuffle=True)
test_loader = DataLoader(TensorDataset(x[i[1300:]], y[i[1300:]]), batch_size=497)

teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
student = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


@torch.no_grad()
def accuracy(net):
    net.eval()
    return sum((net(a).argmax(1) == b).sum().item() for a, b in test_loader) / 497


opt = torch.optim.Adam(teacher.parameters(), lr=3e-3)
for epoch in range(4):
    teacher.train()
    for a, b in train_loader:
        opt.zero_grad()
        F.cross_entropy(teacher(a), b).backward()
        opt.step()
print(f"teacher test accuracy {accuracy(teacher):.3f}")

T, alpha = 3.0, 0.7
opt = torch.optim.Adam(itertools.chain(student.parameters(), teacher.parameters()), lr=3e-3)  # <- missed H204
for epoch in range(5):
    student.train()
    teacher.eval()
    for a, b in train_loader:
        s, t = student(a), teacher(a)
        soft = F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean") * T * T
        loss = alpha * soft + (1 - alpha) * F.cross_entropy(s, b)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} distillation loss {loss.item():.4f} student test accuracy {accuracy(student):.3f}")
