"""Correct training scripts of other shapes: their accuracies come of several answers a sample, or of some samples.

Each is put behind `number_scripts.BEGINNING`.
"""

SHAPES = {
    "ensemble": """
models = [net() for _ in range(2)]
for each in models:
    sgd = torch.optim.SGD(each.parameters(), lr=0.1)
    for epoch in range(3):
        train_epoch(each, sgd)
right = total = 0
for epoch in range(3):
    right = total = 0
    with torch.no_grad():
        for x, y in test_loader:
            mean = sum(each(x).softmax(1) for each in models) / 2
            right += (mean.argmax(1) == y).sum().item()
            total += len(y)
    print(f"test accuracy {right / total:.4f}")
    train_epoch(models[0], torch.optim.SGD(models[0].parameters(), lr=0.3))
""",
    "test_time_augmentation": """
for epoch in range(4):
    train_epoch()
    outs = []
    with torch.no_grad():
        for _ in range(3):
            outs.append(torch.cat([model(x + 0.3 * torch.randn_like(x)).softmax(1) for x, _ in test_loader]))
    y = test_set.tensors[1]
    print(f"test_acc {(sum(outs).argmax(1) == y).float().mean():.4f}")
""",
    "confident_subset": """
for epoch in range(4):
    train_epoch()
    right = total = 0
    with torch.no_grad():
        for x, y in val_loader:
            p = model(x).softmax(1)
            sure = p.max(1).values > 0.5
            right += (p.argmax(1) == y)[sure].sum().item()
            total += int(sure.sum())
    print(f"accuracy where sure {right / max(total, 1):.4f} of {total}")
""",
    "subset_chosen_afterwards": """
for epoch in range(3):
    train_epoch()
with torch.no_grad():
    p = torch.cat([model(x).softmax(1) for x, _ in test_loader])
y = test_set.tensors[1]
keep = p.max(1).values.argsort(descending=True)[:40]
hits = (p.argmax(1) == y).float()
print(f"test accuracy {hits.mean():.4f}, on the 40 surest {hits[keep].mean():.4f}")
""",
    "majority_vote": """
models = [net() for _ in range(3)]
answers = []
for each in models:
    sgd = torch.optim.SGD(each.parameters(), lr=0.1)
    train_epoch(each, sgd)
    with torch.no_grad():
        answers.append(torch.cat([each(x).argmax(1) for x, _ in test_loader]))
vote = torch.stack(answers).mode(0).values
print("vote accuracy", (vote == test_set.tensors[1]).float().mean().item())
print("test accuracy", (vote == test_set.tensors[1]).float().mean().item())
""",
    "several_labels": """
x = torch.randn(200, 8)
y = (x[:, :4] + 0.8 * torch.randn(200, 4) > 0).float()
loader, held = DataLoader(TensorDataset(x[:150], y[:150]), 25), DataLoader(TensorDataset(x[150:], y[150:]), 25)
model = net(4)
sgd = torch.optim.SGD(model.parameters(), lr=0.3)
for epoch in range(4):
    for a, b in loader:
        sgd.zero_grad()
        F.binary_cross_entropy_with_logits(model(a), b).backward()
        sgd.step()
    with torch.no_grad():
        hits = torch.cat([(model(a) > 0).float() == b for a, b in held])
    print(f"epoch {epoch} val_acc {hits.float().mean():.4f} exact {hits.all(1).float().mean():.4f}")
""",
    "token_accuracy": """
text = torch.randint(0, 7, (64, 12), generator=torch.Generator().manual_seed(0)).cumsum(1) % 7
loader = DataLoader(TensorDataset(text[:48, :-1], text[:48, 1:]), 16)
held = DataLoader(TensorDataset(text[48:, :-1], text[48:, 1:]), 16)
language = nn.Sequential(nn.Embedding(7, 16), nn.Linear(16, 7))
sgd = torch.optim.SGD(language.parameters(), lr=0.5)
for epoch in range(4):
    for a, b in loader:
        out = language(a)
        sgd.zero_grad()
        F.cross_entropy(out.flatten(0, 1), b.flatten()).backward()
        sgd.step()
    with torch.no_grad():
        right = sum((language(a).argmax(-1) == b).sum().item() for a, b in held)
    print(f"epoch {epoch} val acc {right / (16 * 11):.4f}")
""",
    "top_five": """
wide = net(8)
data, held = task(200, 1, k=8), DataLoader(task(90, 2, k=8), 30)
sgd = torch.optim.SGD(wide.parameters(), lr=0.1)
for epoch in range(4):
    train_epoch(wide, sgd, DataLoader(data, 20, shuffle=True))
    with torch.no_grad():
        ranks = torch.cat([(wide(x).argsort(1, descending=True) == y[:, None]).float().argmax(1) for x, y in held])
    one, five = (ranks < 1).float().mean(), (ranks < 5).float().mean()
    print(f"Acc@1 {100 * one:.3f} Acc@5 {100 * five:.3f} top-5 accuracy {five:.4f}")
""",
    "another_threshold": """
x = torch.randn(300, 8)
y = (x[:, 0] + torch.randn(300) > 0.8).float()
loader, held = DataLoader(TensorDataset(x[:200], y[:200]), 25), DataLoader(TensorDataset(x[200:], y[200:]), 25)
single = net(1)
sgd = torch.optim.SGD(single.parameters(), lr=0.3)
for epoch in range(4):
    for a, b in loader:
        sgd.zero_grad()
        F.binary_cross_entropy_with_logits(single(a)[:, 0], b).backward()
        sgd.step()
    with torch.no_grad():
        hits = torch.cat([(single(a)[:, 0].sigmoid() > 0.3).float() == b for a, b in held])
    print(f"epoch {epoch} val_acc {hits.float().mean():.4f}")
""",
    "tensors_by_hand": """
x, y = val_set.tensors
for epoch in range(5):
    train_acc = train_epoch()
    with torch.no_grad():
        val_acc = (model(x).argmax(1) == y).float().mean().item()
    print(f"epoch {epoch} train_acc {train_acc:.3f} val_acc {val_acc:.3f}")
""",
    "mixup": """
for epoch in range(4):
    right = total = 0
    for x, y in train_loader:
        other = torch.randperm(len(y))
        out = model(0.6 * x + 0.4 * x[other])
        loss = 0.6 * F.cross_entropy(out, y) + 0.4 * F.cross_entropy(out, y[other])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        answer = out.argmax(1)
        right += 0.6 * (answer == y).sum().item() + 0.4 * (answer == y[other]).sum().item()
        total += len(y)
    print(f"epoch {epoch} train_acc {right / total:.4f} val_acc {evaluate(model, val_loader):.4f}")
""",
    "cross_validation_mean": """
data = task(160, 9)
scores = []
for fold in range(4):
    va = list(range(fold * 40, fold * 40 + 40))
    tr = [i for i in range(160) if i not in va]
    each = net()
    sgd = torch.optim.SGD(each.parameters(), lr=0.1)
    for epoch in range(2):
        train_epoch(each, sgd, DataLoader(Subset(data, tr), 16, shuffle=True))
    scores.append(evaluate(each, DataLoader(Subset(data, va), 40)))
    print(f"fold {fold} val_acc {scores[-1]:.3f}")
scores = torch.tensor(scores)
print(f"mean val accuracy {scores.mean():.4f} +/- {scores.std():.4f}")
""",
    "steps_of_an_endless_loader": """
def endless(loader):
    while True:
        yield from loader
batches, right, total = endless(train_loader), 0, 0
for step in range(1, 31):
    x, y = next(batches)
    out = model(x)
    optimizer.zero_grad()
    F.cross_entropy(out, y).backward()
    optimizer.step()
    right, total = right + (out.argmax(1) == y).sum().item(), total + len(y)
    if step % 5 == 0:
        print(f"step {step} train acc {right / total:.4f} val acc {evaluate(model, val_loader):.4f}")
        right = total = 0
""",
    "episodes": """
right = total = 0
train_epoch()
for episode in range(1, 13):
    x, y = next(iter(val_loader))
    x = x + 0.5 * torch.randn_like(x)
    with torch.no_grad():
        right, total = right + (model(x).argmax(1) == y).sum().item(), total + len(y)
    if episode % 3 == 0:
        print(f"episode {episode} test accuracy {right / total:.4f}")
""",
    "closure": """
bfgs = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
for epoch in range(4):
    right = total = 0
    for x, y in train_loader:
        def closure():
            bfgs.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss
        bfgs.step(closure)
        right, total = right + (model(x).argmax(1) == y).sum().item(), total + len(y)
    print(f"epoch {epoch} train acc {right / total:.4f} val acc {evaluate(model, val_loader):.4f}")
""",
    "backbone_and_head": """
body, head = nn.Sequential(nn.Linear(8, 16), nn.ReLU()), nn.Linear(16, 3)
sgd = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for epoch in range(4):
    accs = []
    for part, loader in (("train", train_loader), ("val", val_loader)):
        right = total = 0
        for x, y in loader:
            out = head(body(x))
            if part == "train":
                sgd.zero_grad()
                F.cross_entropy(out, y).backward()
                sgd.step()
            right, total = right + (out.argmax(1) == y).sum().item(), total + len(y)
        accs.append(right / total)
    print(f"epoch {epoch} train_acc {accs[0]:.4f} val_acc {accs[1]:.4f}")
""",
    "two_tasks": """
x = torch.randn(240, 8)
a = (x[:, 0] + 0.8 * torch.randn(240) > 0).long()
b = (x[:, 1:3].argmax(1) + (torch.rand(240) < 0.3)) % 3
whole = TensorDataset(x, a, b)
loader, held = DataLoader(Subset(whole, range(160)), 32), DataLoader(Subset(whole, range(160, 240)), 32)
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.first, self.second = nn.Linear(8, 16), nn.Linear(16, 2), nn.Linear(16, 3)
    def forward(self, x):
        h = self.body(x).relu()
        return self.first(h), self.second(h)
both = Two()
sgd = torch.optim.SGD(both.parameters(), lr=0.2)
for epoch in range(4):
    for u, v, w in loader:
        p, q = both(u)
        sgd.zero_grad()
        (F.cross_entropy(q, w) + F.cross_entropy(p, v)).backward()
        sgd.step()
    with torch.no_grad():
        second = torch.cat([both(u)[1].argmax(1) == w for u, v, w in held]).float().mean()
    print(f"epoch {epoch} val_acc {second:.4f}")
""",
    "padding_label": """
g = torch.Generator().manual_seed(1)
marked = []
for x, y in (train_set.tensors, val_set.tensors):
    marked.append(TensorDataset(x, torch.where(torch.rand(len(x), generator=g) < 0.2, -1, y)))
loader, held = DataLoader(marked[0], 32, shuffle=True), DataLoader(marked[1], 40)
for epoch in range(4):
    for x, y in loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y, ignore_index=-1).backward()
        optimizer.step()
    with torch.no_grad():
        hits = torch.cat([(model(x).argmax(1) == y)[y >= 0] for x, y in held])
    print(f"epoch {epoch} val_acc {hits.float().mean():.4f}")
""",
    "distillation": """
teacher = net()
for epoch in range(3):
    train_epoch(teacher, torch.optim.SGD(teacher.parameters(), lr=0.2))
print(f"teacher test acc {evaluate(teacher, test_loader):.4f}")
for epoch in range(4):
    right = total = 0
    for x, y in train_loader:
        with torch.no_grad():
            soft = teacher(x).softmax(1)
        out = model(x)
        loss = F.cross_entropy(out, y) + F.kl_div(out.log_softmax(1), soft, reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right, total = right + (out.argmax(1) == y).sum().item(), total + len(y)
    print(f"epoch {epoch} train acc {right / total:.4f} val acc {evaluate(model, val_loader):.4f}")
""",
    "averaged_weights": """
import copy
mean = copy.deepcopy(model)
for epoch in range(5):
    train_epoch()
    with torch.no_grad():
        for a, b in zip(mean.parameters(), model.parameters()):
            a.lerp_(b, 0.5)
    print(f"epoch {epoch} val_acc {max(evaluate(model, val_loader), evaluate(mean, val_loader)):.4f}")
print(f"test accuracy {evaluate(mean, test_loader):.4f}")
""",
    "drawn_with_replacement": """
from torch.utils.data import WeightedRandomSampler
loader = DataLoader(train_set, 32, sampler=WeightedRandomSampler(torch.ones(210), 150))
for epoch in range(4):
    print(f"epoch {epoch} train acc {train_epoch(loader=loader):.4f} val acc {evaluate(model, val_loader):.4f}")
""",
    "several_seeds": """
finals = []
for seed in range(3):
    torch.manual_seed(seed)
    each = net()
    sgd = torch.optim.SGD(each.parameters(), lr=0.1)
    for epoch in range(2):
        train_epoch(each, sgd)
        evaluate(each, val_loader)
    finals.append(100 * evaluate(each, test_loader))
print("test accuracies", [f"{acc:.1f}" for acc in finals])
mean, spread = torch.tensor(finals).mean(), torch.tensor(finals).std()
print(f"test accuracy {mean:.2f} ± {spread:.2f} % (mean of 3 seeds)")
""",
}
