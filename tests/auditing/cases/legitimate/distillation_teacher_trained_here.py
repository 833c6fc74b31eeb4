import copy
import logging

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Subset, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("kd")
torch.manual_seed(0)

CFG = dict(T=4.0, alpha=0.7, teacher_epochs=6, student_epochs=6, batch=64, lr=2e-3)

bunch = load_digits()
data = TensorDataset(torch.tensor(bunch.images / 16.0, dtype=torch.float32).unsqueeze(1), torch.tensor(bunch.target))
order = torch.randperm(len(data)).tolist()
train_set, test_set = Subset(data, order[:1400]), Subset(data, order[1400:])
train_loader = DataLoader(train_set, CFG["batch"], shuffle=True)
test_loader = DataLoader(test_set, 200)


def make_net(c, p):
    return nn.Sequential(
        nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(c, 2 * c, 3, padding=1), nn.BatchNorm2d(2 * c), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Dropout(p), nn.Linear(8 * c, 10),
    )


def test(net):
    net.eval()
    correct = 0
    with torch.inference_mode():
        for x, y in test_loader:
            correct += (net(x).argmax(dim=1) == y).sum().item()
    return 100.0 * correct / len(test_set)


# --- teacher
teacher = make_net(16, 0.2)
opt = torch.optim.Adam(teacher.parameters(), lr=CFG["lr"])
for ep in range(CFG["teacher_epochs"]):
    teacher.train()
    for x, y in train_loader:
        opt.zero_grad()
        F.cross_entropy(teacher(x), y).backward()
        opt.step()
log.info("teacher: test accuracy %.2f%%", test(teacher))
teacher.eval()
teacher.requires_grad_(False)

# --- two students of one beginning: with and without the teacher
torch.manual_seed(1)
student = make_net(4, 0.0)
plain = copy.deepcopy(student)


def fit(net, teacher=None):
    opt = torch.optim.Adam(net.parameters(), lr=CFG["lr"])
    for ep in range(CFG["student_epochs"]):
        net.train()
        for x, y in train_loader:
            out = net(x)
            loss = F.cross_entropy(out, y)
            if teacher is not None:
                with torch.no_grad():
                    soft = F.softmax(teacher(x) / CFG["T"], dim=1)
                kd = F.kl_div(F.log_softmax(out / CFG["T"], dim=1), soft, reduction="batchmean") * CFG["T"] ** 2
                loss = CFG["alpha"] * kd + (1 - CFG["alpha"]) * loss
            opt.zero_grad()
            loss.backward()
            opt.step()


fit(plain)
log.info("student alone: test accuracy %.2f%%", test(plain))
fit(student, teacher)
log.info("student distilled: test accuracy %.2f%%", test(student))
