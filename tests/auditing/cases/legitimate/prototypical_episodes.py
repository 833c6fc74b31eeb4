import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

np.random.seed(6)
torch.manual_seed(6)
d = load_digits()
x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16
by_class = {c: np.where(d.target == c)[0] for c in range(10)}
TRAIN_CLASSES, TEST_CLASSES = [0, 1, 2, 3, 4, 5], [6, 7, 8, 9]   # new classes at test


def episode(classes, way=3, shot=5, query=8):
    chosen = np.random.choice(classes, way, replace=False)
    support, queries = [], []
    for c in chosen:
        picks = np.random.choice(by_class[c], shot + query, replace=False)
        support.append(x[picks[:shot]])
        queries.append(x[picks[shot:]])
    labels = torch.arange(way).repeat_interleave(query)
    return torch.cat(support), torch.cat(queries), labels, way, shot


class ProtoNet(nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2))
        self.encoder = nn.Sequential(block(1, 16), block(16, 32), nn.Flatten())

    def forward(self, support, query, way, shot):
        z = self.encoder(torch.cat([support, query]))
        zs, zq = z[: way * shot], z[way * shot:]
        prototypes = zs.view(way, shot, -1).mean(1)
        return -torch.cdist(zq, prototypes) ** 2


net = ProtoNet()
optim = torch.optim.Adam(net.parameters(), lr=1e-3)
lr_sched = torch.optim.lr_scheduler.StepLR(optim, step_size=50, gamma=0.5)

for ep in range(1, 151):
    net.train()
    s, q, labels, way, shot = episode(TRAIN_CLASSES)
    logits = net(s, q, way, shot)
    loss = F.cross_entropy(logits, labels)
    optim.zero_grad()
    loss.backward()
    optim.step()
    lr_sched.step()
    if ep % 50 == 0:
        net.eval()
        accs = []
        with torch.no_grad():
            for _ in range(30):
                s, q, labels, way, shot = episode(TEST_CLASSES)
                accs.append((net(s, q, way, shot).argmax(1) == labels).float().mean().item())
        half = 1.96 * np.std(accs) / np.sqrt(len(accs))
        print(f"episode {ep}: train loss {loss.item():.4f}, novel classes 3-way 5-shot acc {np.mean(accs):.4f} +- {half:.4f}")
