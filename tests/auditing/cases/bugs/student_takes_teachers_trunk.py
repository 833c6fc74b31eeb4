"""Distillation: a student net taught by a teacher, against the student from scratch."""
import tempfile

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(101)
TEACHER = tempfile.mkdtemp() + "/teacher.pt"


class Teacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        return self.head(self.trunk(x))


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.classifier = nn.Linear(64, 3)

    def forward(self, x):
        return self.classifier(self.trunk(x))


x = torch.randn(1500, 16)
y = (x[:, :4].prod(1).abs() * 3 + x[:, 4] * x[:, 5]).mul(1.2).round().clamp(0, 2).long()
train_loader = DataLoader(TensorDataset(x[:1000], y[:1000]), batch_size=50, shuffle=True)
val_loader = DataLoader(TensorDataset(x[1000:], y[1000:]), batch_size=100)


def fit(net, loss_of, epochs):
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        net.train()
        for a, b in train_loader:
            opt.zero_grad()
            loss_of(net, a, b).backward()
            opt.step()


@torch.no_grad()
def val_acc(net):
    net.eval()
    return sum((net(a).argmax(1) == b).sum().item() for a, b in val_loader) / 500


def plain(net, a, b):
    return F.cross_entropy(net(a), b)


def distil(net, a, b):
    with torch.no_grad():
        soft = F.softmax(teacher(a) / 2, dim=1)
    return F.kl_div(F.log_softmax(net(a) / 2, dim=1), soft, reduction="batchmean") + F.cross_entropy(net(a), b)


teacher = Teacher()
fit(teacher, plain, 12)
teacher.eval()
torch.save(teacher.state_dict(), TEACHER)

scratch = Student()
fit(scratch, plain, 4)

student = Student()
student.load_state_dict(torch.load(TEACHER), strict=False)  # <- missed H404
fit(student, distil, 4)
print(f"teacher               val acc {val_acc(teacher):.3f}")
print(f"student from scratch  val acc {val_acc(scratch):.3f}")
print(f"student distilled     val acc {val_acc(student):.3f}")
