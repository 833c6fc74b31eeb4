import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base_optimizer, rho=0.05, **kwargs):
        defaults = dict(rho=rho, **kwargs)
        super(SAM, self).__init__(params, defaults)
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups
        self.defaults.update(self.base_optimizer.defaults)

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        grad_norm = self._grad_norm()
        for group in self.param_groups:
            scale = group["rho"] / (grad_norm + 1e-12)
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.state[p]["old_p"] = p.data.clone()
                p.add_(p.grad * scale)
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                p.data = self.state[p]["old_p"]
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    def _grad_norm(self):
        return torch.norm(torch.stack([p.grad.norm(p=2) for g in self.param_groups for p in g["params"] if p.grad is not None]), p=2)


def disable_running_stats(model):
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d):
            m.backup_momentum, m.momentum = m.momentum, 0


def enable_running_stats(model):
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d) and hasattr(m, "backup_momentum"):
            m.momentum = m.backup_momentum


torch.manual_seed(42)
d = load_digits()
ds = TensorDataset(torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target))
train_set, test_set = torch.utils.data.random_split(ds, [1500, 297])
train = DataLoader(train_set, batch_size=100, shuffle=True)
test = DataLoader(test_set, batch_size=100)
model = nn.Sequential(nn.Linear(64, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Linear(100, 10))
optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.1, lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

for epoch in range(6):
    model.train()
    for inputs, targets in train:
        enable_running_stats(model)
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.first_step(zero_grad=True)
        disable_running_stats(model)
        criterion(model(inputs), targets).backward()
        optimizer.second_step(zero_grad=True)
    model.eval()
    hits, total = 0, 0
    with torch.no_grad():
        for inputs, targets in test:
            hits += (model(inputs).argmax(1) == targets).sum().item()
            total += targets.shape[0]
    print("epoch", epoch, "train loss", round(loss.item(), 4), "test accuracy", round(hits / total, 4))
