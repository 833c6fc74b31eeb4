"""Correct training scripts that print their numbers in many ways; each is put behind `number_scripts.BEGINNING`."""

PRINTING = {
    "running_metric_object": """
class Accuracy:
    def __init__(self):
        self.reset()
    def reset(self):
        self.right = self.total = 0
    def update(self, out, y):
        self.right += int((out.argmax(1) == y).sum())
        self.total += len(y)
    def compute(self):
        return torch.tensor(self.right / self.total)
metric = Accuracy()
for epoch in range(4):
    train_epoch()
    metric.reset()
    with torch.no_grad():
        for x, y in val_loader:
            metric.update(model(x), y)
    print("Epoch", epoch, "val accuracy", metric.compute())
""",
    "macro_accuracy": """
for epoch in range(4):
    train_epoch()
    hits, n = torch.zeros(3), torch.zeros(3)
    with torch.no_grad():
        for x, y in val_loader:
            answer = model(x).argmax(1)
            for c in range(3):
                hits[c] += ((answer == c) & (y == c)).sum()
                n[c] += (y == c).sum()
    print(f"epoch {epoch} val_acc {(hits / n).mean():.4f}")
print("per-class accuracy:", [round(v, 3) for v in (hits / n).tolist()])
for c in range(3):
    print(f"class {c} accuracy {100 * hits[c] / n[c]:.1f} %")
""",
    "percent_with_and_without_sign": """
for epoch in range(4):
    acc = train_epoch()
    val = evaluate(model, val_loader)
    print(f"Epoch [{epoch + 1}/4], Train Acc: {100 * acc:.2f}%, Val Acc: {100 * val:.2f}%")
    print("train", round(100 * acc, 1), "accuracy", 100 * val)
    print("Accuracy of the network on the %d test images: %d %%" % (len(test_set), 100 * evaluate(model, test_loader)))
""",
    "error_rate": """
for epoch in range(4):
    train_epoch()
    print(f"epoch {epoch} val error rate {1 - evaluate(model, val_loader):.4f}")
print(f"test error rate: {100 * (1 - evaluate(model, test_loader)):.2f} %")
""",
    "two_loaders_merged": """
for epoch in range(4):
    train_epoch()
    right = total = 0
    for loader in (val_loader, test_loader):
        right += round(evaluate(model, loader) * len(loader.dataset))
        total += len(loader.dataset)
    print(f"epoch {epoch} eval accuracy {right / total:.4f} ({right}/{total})")
""",
    "rates_and_targets": """
for epoch in range(4):
    lr = optimizer.param_groups[0]["lr"]
    train_epoch()
    print(f"epoch {epoch} lr {lr:.4f} val_acc {evaluate(model, val_loader):.4f} accuracy target 0.9")
    if evaluate(model, val_loader) < 0.9:
        print("accuracy below 0.9, going on; chance accuracy is 0.333")
""",
    "every_ten_batches": """
for epoch in range(2):
    right = total = 0
    since = n_since = 0
    for i, (x, y) in enumerate(DataLoader(train_set, 8, shuffle=True)):
        out = model(x)
        loss = F.cross_entropy(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        hit = (out.argmax(1) == y).sum().item()
        right, total, since, n_since = right + hit, total + len(y), since + hit, n_since + len(y)
        if i % 10 == 9:
            print(f"epoch {epoch} [{total}/{len(train_set)}] loss {loss.item():.4f} acc {100 * right / total:.1f}%")
            print(f"last ten batches: acc {since / n_since:.3f}; this batch: acc {hit / len(y):.3f}")
            since = n_since = 0
    print(f"train acc {right / total:.4f} val acc {evaluate(model, val_loader):.4f}")
""",
    "best_epoch": """
best, best_epoch, history = 0.0, 0, []
for epoch in range(6):
    train_epoch()
    acc = evaluate(model, val_loader)
    history.append(acc)
    if acc > best:
        best, best_epoch = acc, epoch
    print(f"epoch {epoch} val_acc {acc:.4f} best val_acc {best:.4f} (epoch {best_epoch})")
print(f"best val accuracy {best:.4f} at epoch {best_epoch}")
for epoch, acc in enumerate(history):
    print(f"{epoch}: val_acc={acc:.4f}")
""",
    "smoothed": """
smooth = None
for epoch in range(5):
    acc = train_epoch()
    smooth = acc if smooth is None else 0.9 * smooth + 0.1 * acc
    print(f"epoch {epoch} smoothed acc {smooth:.4f} ema_acc={smooth:.3f}")
""",
    "table": """
print("epoch    train_acc    val_acc    lr")
print("-----    ---------    -------    ------")
for epoch in range(4):
    print(f"{epoch:5d}    {train_epoch():9.4f}    {evaluate(model, val_loader):7.4f}    {0.1:.4f}")
""",
    "logging_and_dict": """
form = "%(asctime)s %(levelname)s %(filename)s:%(lineno)d %(message)s"
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=form, force=True)
for epoch in range(4):
    stats = {"train_acc": train_epoch(), "val_acc": evaluate(model, val_loader), "epoch": epoch}
    logging.info("epoch %d train_acc=%.4f val_acc=%.4f", epoch, stats["train_acc"], stats["val_acc"])
    print(stats)
logging.info({"test_accuracy": evaluate(model, test_loader)})
""",
    "progress_bar": """
from tqdm import tqdm
for epoch in range(3):
    right = total = 0
    bar = tqdm(train_loader, desc=f"epoch {epoch}", mininterval=0)
    for x, y in bar:
        out = model(x)
        optimizer.zero_grad()
        F.cross_entropy(out, y).backward()
        optimizer.step()
        right += (out.argmax(1) == y).sum().item()
        total += len(y)
        bar.set_postfix(acc=right / total)
    tqdm.write(f"train acc {right / total:.4f}")
""",
    "train_in_evaluation_mode": """
for epoch in range(3):
    train_epoch()
    print(f"epoch {epoch} train_acc {evaluate(model, train_loader):.4f} val_acc {evaluate(model, val_loader):.4f}")
print(f"test_acc {evaluate(model, test_loader):.4f}")
""",
    "one_function_for_both": """
def validate(loader):
    acc = evaluate(model, loader)
    print(f" * val acc {acc:.4f}")
    return acc
for epoch in range(3):
    train_epoch()
    validate(val_loader)
validate(test_loader)
""",
    "test_function_for_every_part": """
def test(loader):
    print(f"Test set: Accuracy: {100 * evaluate(model, loader):.2f}%")
for epoch in range(3):
    train_epoch()
    test(train_loader)
    test(test_loader)
""",
    "losses": """
for epoch in range(4):
    for part, loader in (("train", train_loader), ("val", val_loader)):
        mean = weighed = n = 0
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            if part == "train":
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            mean, weighed, n = mean + loss.item(), weighed + loss.item() * len(y), n + len(y)
        print(f"{part} loss {mean / len(loader):.4f}, by sample {weighed / n:.4f}, last {loss.item():.4f}")
""",
}
