"""Prototypes from episodes: in each, five of the digits are classes 0 to 4, in a fresh order."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

torch.manual_seed(2)
gen = torch.Generator().manual_seed(2)
digits = load_digits()
x, y = torch.tensor(digits.data / 16).float(), torch.tensor(digits.target)
of_class = [x[y == k] for k in range(10)]
LEARN, NEW = [0, 1, 2, 3, 4, 5, 6], [7, 8, 9]


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, inputs):
        return self.body(inputs)


def episode(classes, n_way, n_support=5, n_query=10):
    chosen = [classes[i] for i in torch.randperm(len(classes), generator=gen)[:n_way].tolist()]
    support, query, labels = [], [], []
    for number, k in enumerate(chosen):
        rows = of_class[k][torch.randperm(len(of_class[k]), generator=gen)[: n_support + n_query]]
        support.append(rows[:n_support])
        query.append(rows[n_support:])
        labels += [number] * n_query
    return torch.stack(support), torch.cat(query), torch.tensor(labels)


def scores(net, support, query):
    prototypes = net(support.flatten(0, 1)).view(*support.shape[:2], -1).mean(1)
    return -torch.cdist(net(query), prototypes) ** 2


net = Embed()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for step in range(150):
    support, query, labels = episode(LEARN, 5)
    loss = F.cross_entropy(scores(net, support, query), labels)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 49:
        print(f"step {step + 1}: episode loss {loss.item():.3f}")
net.eval()
right = n = 0
with torch.no_grad():
    for _ in range(30):
        support, query, labels = episode(NEW, 3)
        right += (scores(net, support, query).argmax(1) == labels).sum().item()
        n += len(labels)
print(f"accuracy on digits never learned, 3 ways: {right / n:.3f}")
