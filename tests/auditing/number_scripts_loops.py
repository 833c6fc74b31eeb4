"""Correct training scripts in the forms that tutorials and well-known repositories have, in our own words.

Each is put behind `number_scripts.BEGINNING`.
"""

LOOPS = {
    "digits_example": """
def train(epoch):
    model.train()
    for i, (x, y) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = F.nll_loss(F.log_softmax(model(x), dim=1), y)
        loss.backward()
        optimizer.step()
        if i % 3 == 0:
            done = f"{i * len(x)}/{len(train_loader.dataset)} ({100.0 * i / len(train_loader):.0f}%)"
            print(f"Train Epoch: {epoch} [{done}]\\tLoss: {loss.item():.6f}")
def test():
    model.eval()
    test_loss = correct = 0
    with torch.no_grad():
        for x, y in test_loader:
            out = F.log_softmax(model(x), dim=1)
            test_loss += F.nll_loss(out, y, reduction="sum").item()
            correct += out.argmax(dim=1, keepdim=True).eq(y.view_as(out.argmax(dim=1, keepdim=True))).sum().item()
    n = len(test_loader.dataset)
    told = f"Average loss: {test_loss / n:.4f}, Accuracy: {correct}/{n} ({100.0 * correct / n:.0f}%)"
    print(f"\\nTest set: {told}\\n")
for epoch in range(1, 5):
    train(epoch)
    test()
""",
    "quick_start": """
def test_loop(loader):
    size, batches = len(loader.dataset), len(loader)
    model.eval()
    test_loss = correct = 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            test_loss += F.cross_entropy(out, y).item()
            correct += (out.argmax(1) == y).type(torch.float).sum().item()
    test_loss /= batches
    correct /= size
    print(f"Test Error: \\n Accuracy: {(100 * correct):>0.1f}%, Avg loss: {test_loss:>8f} \\n")
for t in range(4):
    print(f"Epoch {t + 1}\\n-------------------------------")
    size = len(train_loader.dataset)
    for batch, (x, y) in enumerate(train_loader):
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 2 == 0:
            print(f"loss: {loss.item():>7f}  [{(batch + 1) * len(x):>5d}/{size:>5d}]")
    test_loop(test_loader)
print("Done!")
""",
    "meters": """
class AverageMeter:
    def __init__(self, name, form=":f"):
        self.name, self.form, self.val, self.sum, self.count = name, form, 0, 0, 0
    def update(self, val, n=1):
        self.val, self.sum, self.count = val, self.sum + val * n, self.count + n
    def __str__(self):
        return ("{name} {val" + self.form + "} ({avg" + self.form + "})").format(
            name=self.name, val=self.val, avg=self.sum / self.count
        )
def run(loader, learn, prefix):
    losses, top1, top2 = AverageMeter("Loss", ":.4e"), AverageMeter("Acc@1", ":6.2f"), AverageMeter("Acc@2", ":6.2f")
    model.train(learn)
    for i, (x, y) in enumerate(loader):
        with torch.set_grad_enabled(learn):
            out = model(x)
            loss = F.cross_entropy(out, y)
        _, ranked = out.topk(2, 1)
        hits = ranked.t().eq(y.view(1, -1))
        losses.update(loss.item(), len(y))
        top1.update(hits[:1].float().sum().item() * 100 / len(y), len(y))
        top2.update(hits.float().sum().item() * 100 / len(y), len(y))
        if learn:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if i % 2 == 0:
            print("\\t".join([f"{prefix}[{i}/{len(loader)}]", str(losses), str(top1), str(top2)]))
    print(f" *   Acc@1 {top1.sum / top1.count:.3f} Acc@2 {top2.sum / top2.count:.3f}")
    return top1.sum / top1.count
best = 0
for epoch in range(4):
    run(train_loader, True, f"Epoch: [{epoch}]")
    best = max(best, run(val_loader, False, "Test: "))
print("best acc@1", best)
""",
    "transfer_learning": """
import copy, time
sizes = {"train": len(train_set), "val": len(val_set)}
best_acc, best_weights, since = 0.0, None, time.time()
for epoch in range(4):
    print(f"Epoch {epoch}/3")
    print("-" * 10)
    for phase, loader in (("train", train_loader), ("val", val_loader)):
        model.train(phase == "train")
        running_loss, running_corrects = 0.0, 0
        for inputs, labels in loader:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(inputs)
                _, preds = torch.max(outputs, 1)
                loss = F.cross_entropy(outputs, labels)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            running_loss += loss.item() * inputs.size(0)
            running_corrects += torch.sum(preds == labels.data)
        epoch_acc = running_corrects.double() / sizes[phase]
        print(f"{phase} Loss: {running_loss / sizes[phase]:.4f} Acc: {epoch_acc:.4f}")
        if phase == "val" and epoch_acc > best_acc:
            best_acc, best_weights = epoch_acc, copy.deepcopy(model.state_dict())
    print()
print(f"Training complete in {(time.time() - since) // 60:.0f}m")
print(f"Best val Acc: {best_acc:4f}")
""",
    "every_few_batches_and_classes": """
classes = ("plane", "car", "bird")
for epoch in range(2):
    running_loss = 0.0
    for i, (x, y) in enumerate(train_loader, 0):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % 3 == 2:
            print(f"[{epoch + 1}, {i + 1:5d}] loss: {running_loss / 3:.3f}")
            running_loss = 0.0
print("Finished Training")
x, y = next(iter(test_loader))
_, predicted = torch.max(model(x), 1)
print("Predicted: ", " ".join(f"{classes[predicted[j]]:5s}" for j in range(4)))
correct = total = 0
with torch.no_grad():
    for x, y in test_loader:
        _, predicted = torch.max(model(x).data, 1)
        total += y.size(0)
        correct += (predicted == y).sum().item()
print(f"Accuracy of the network on the {total} test images: {100 * correct // total} %")
hits, n = dict.fromkeys(classes, 0), dict.fromkeys(classes, 0)
with torch.no_grad():
    for x, y in test_loader:
        for label, answer in zip(y, torch.max(model(x), 1)[1]):
            hits[classes[label]] += int(label == answer)
            n[classes[label]] += 1
for name in classes:
    print(f"Accuracy for class: {name:5s} is {100 * hits[name] / n[name]:.1f} %")
""",
    "bar_by_hand": """
def run(loader, learn):
    model.train(learn)
    loss_sum = correct = total = 0
    for i, (x, y) in enumerate(loader):
        with torch.set_grad_enabled(learn):
            out = model(x)
            loss = F.cross_entropy(out, y)
        if learn:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss_sum += loss.item()
        total += y.size(0)
        correct += out.max(1)[1].eq(y).sum().item()
        told = f"Loss: {loss_sum / (i + 1):.3f} | Acc: {100.0 * correct / total:.3f}% ({correct}/{total})"
        print(f"\\r {i + 1}/{len(loader)} [====>...] {told}", end="")
    print()
    return 100.0 * correct / total
best_acc = 0
for epoch in range(3):
    print(f"\\nEpoch: {epoch}")
    run(train_loader, True)
    acc = run(test_loader, False)
    if acc > best_acc:
        print("Saving..")
        best_acc = acc
""",
    "table_and_history": """
history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
def run(loader, learn):
    model.train(learn)
    loss_sum = hits = n = 0
    for x, y in loader:
        with torch.set_grad_enabled(learn):
            out = model(x)
            loss = F.cross_entropy(out, y)
        if learn:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss_sum, hits, n = loss_sum + loss.item() * len(y), hits + int((out.argmax(-1) == y).sum()), n + len(y)
    return loss_sum / n, hits / n
for epoch in range(4):
    for prefix, loader in (("", train_loader), ("val_", val_loader)):
        loss, acc = run(loader, not prefix)
        history[prefix + "loss"].append(loss)
        history[prefix + "accuracy"].append(acc)
    print(" - ".join(f"{name}: {values[-1]:.4f}" for name, values in history.items()))
    print({name: round(values[-1], 4) for name, values in history.items()})
print(f"{'epoch':>6} {'train_acc':>10} {'val_acc':>10}")
for epoch in range(4):
    print(f"{epoch:>6} {history['accuracy'][epoch]:>10.4f} {history['val_accuracy'][epoch]:>10.4f}")
top = max(range(4), key=history["val_accuracy"].__getitem__)
print(f"best epoch {top}: val_accuracy {history['val_accuracy'][top]:.4f}, last {history['val_accuracy'][-1]:.4f}")
print(f"test: loss={run(test_loader, False)[0]:.4f} acc={run(test_loader, False)[1]:.4f}")
""",
    "one_output": """
x = torch.randn(300, 8)
y = (x[:, 0] + 0.7 * torch.randn(300) > 0).float()
loader, held = DataLoader(TensorDataset(x[:200], y[:200]), 32), DataLoader(TensorDataset(x[200:], y[200:]), 32)
single = net(1)
adam = torch.optim.Adam(single.parameters(), lr=0.01)
def binary_acc(p, y):
    return (torch.round(torch.sigmoid(p)) == y).sum().float() / y.shape[0]
for epoch in range(1, 4):
    epoch_loss = right = n = 0
    for a, b in loader:
        adam.zero_grad()
        p = single(a)
        loss = F.binary_cross_entropy_with_logits(p, b.unsqueeze(1))
        loss.backward()
        adam.step()
        epoch_loss += loss.item()
        right, n = right + binary_acc(p, b.unsqueeze(1)).item() * len(b), n + len(b)
    print(f"Epoch {epoch + 0:03}: | Loss: {epoch_loss / len(loader):.5f} | Acc: {100 * right / n:.3f}")
    with torch.no_grad():
        hits = torch.cat([(single(a).sigmoid() > 0.5).squeeze(1) == b.bool() for a, b in held])
    print(f"Epoch {epoch}: val accuracy {hits.float().mean().item():.4f}")
""",
}
