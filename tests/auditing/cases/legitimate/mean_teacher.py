import copy, itertools
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_moons

torch.manual_seed(5)
x, y = make_moons(1400, noise=0.15, random_state=5)
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
labelled = TensorDataset(x[:40], y[:40])
unlabelled = TensorDataset(x[40:900])
val = TensorDataset(x[900:1100], y[900:1100])
test = TensorDataset(x[1100:], y[1100:])

lab_loader = DataLoader(labelled, batch_size=20, shuffle=True)
unl_loader = DataLoader(unlabelled, batch_size=86, shuffle=True)


def net():
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


student = net()
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.detach_()
opt = torch.optim.Adam(student.parameters(), lr=5e-3)


def ema_update(step):
    alpha = min(1 - 1 / (step + 1), 0.99)
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.data.mul_(alpha).add_(s.data, alpha=1 - alpha)


def validate(model, ds):
    was = model.training
    model.eval()
    with torch.no_grad():
        hits = sum((model(a).argmax(1) == b).sum().item() for a, b in DataLoader(ds, 100))
    model.train(was)
    return hits / len(ds)


student.train(); teacher.train()
step = 0
for epoch in range(15):
    for (xl, yl), (xu,) in zip(itertools.cycle(lab_loader), unl_loader):
        both = torch.cat([xl, xu])
        out = student(both + 0.05 * torch.randn_like(both))
        with torch.no_grad():      # the teacher sees other noise, and keeps its dropout
            goal = teacher(both + 0.05 * torch.randn_like(both))
        sup = F.cross_entropy(out[: len(xl)], yl)
        cons = F.mse_loss(out.softmax(1), goal.softmax(1))
        w = 10 * min(1.0, epoch / 8)
        opt.zero_grad()
        (sup + w * cons).backward()
        opt.step()
        step += 1
        ema_update(step)
    if epoch % 3 == 2:
        print('epoch %2d  sup %.3f  cons %.4f  val student %.3f  val teacher %.3f' % (
            epoch, sup.item(), cons.item(), validate(student, val), validate(teacher, val)))
print('test acc of the teacher: %.4f' % validate(teacher, test))
