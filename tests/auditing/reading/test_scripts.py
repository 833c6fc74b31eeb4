"""Bugs that the text of a script shows, each on the line that a person would point at."""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from heldout.auditing.reading.scripts import read
from heldout.errors import UsageError

# The line at fault ends with `# HERE`.
CASES = {
    "H203 misspelt": """
        for p in model.parameters():
            p.require_grad = False  # HERE
    """,
    "H203 letters swapped": """
        for name, p in model.named_parameters():
            if "fc" not in name:
                p.requires_gard = False  # HERE
    """,
    "H203 setattr": """
        for p in model.parameters():
            setattr(p, "requires_grads", False)  # HERE
    """,
    "H203 on a module": """
        from torchvision import models
        model = models.resnet18(weights="DEFAULT")
        model.requires_grad = False  # HERE
    """,
    "H203 on parts": """
        for child in list(model.children())[:3]:
            for p in child.parameters():
                p.requires_grad = False
        model.layer4.requires_grad = False  # HERE
    """,
    "H203 on children": """
        for name, child in model.named_children():
            child.requires_grad = False  # HERE
    """,
    "H214 summed": """
        for epoch in range(3):
            running_loss = 0
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                running_loss += loss  # HERE
            print(running_loss / len(loader))
    """,
    "H214 weighted": """
        total = 0
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            total = total + loss * len(x)  # HERE
    """,
    "H214 of float labels": """
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(data), y.float())
            loss.backward()
            optimizer.step()
            self.total += loss  # HERE
    """,
    "H210 in one branch": """
        if training:
            out = F.softmax(model(x), 1)
            loss = F.cross_entropy(out, y)  # HERE
    """,
    "H104 left over": """
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            for xv, yv in val_loader:
                out = model(x)  # HERE
                correct += (out.argmax(1) == y).sum().item()
    """,
    "H104 unpacked": """
        for batch in train_loader:
            inputs, labels = batch
            loss = F.cross_entropy(model(inputs), labels)
        for i, data in enumerate(test_loader):
            outputs = model(inputs)  # HERE
    """,
    "H104 overwritten": """
        for i, data in enumerate(trainloader):
            inputs, labels = data
        dataiter = iter(valloader)
        images, labels = next(dataiter)
        images, labels = data  # HERE
        out = model(images)
    """,
    "H104 first batch again": """
        loader = DataLoader(data, batch_size=8)
        for step in range(100):
            x, y = next(iter(loader))  # HERE
            train(x, y)
    """,
    "H301 linear": """
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        outputs = net(x)
        _, predicted = torch.max(outputs.data, 1)  # HERE
    """,
    "H301 class": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1 = nn.Linear(2, 8)
                self.fc2 = nn.Linear(8, out_features=1)

            def forward(self, x):
                x = F.relu(self.fc1(x))
                return torch.sigmoid(x) if False else self.fc2(x)

        def evaluate(model, loader):
            for x, y in loader:
                pred = model(x).argmax(dim=-1)

        class Plain(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(2, 1)

            def forward(self, x):
                x = self.fc(x)
                return x

        model = Plain().to("cpu")
        pred = model(x).argmax(1)  # HERE
    """,
    "H210 functional": """
        probs = F.softmax(model(x), dim=1)
        loss = F.cross_entropy(probs, y)  # HERE
    """,
    "H210 sequential": """
        def train(net, criterion):
            loss = criterion(net(x), y)  # HERE

        train(nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1)), nn.CrossEntropyLoss())
    """,
    "H210 sigmoid": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(3, 1)
                self.sigmoid = nn.Sigmoid()

            def forward(self, x):
                return self.sigmoid(self.out(x))

        model = Net()
        criterion = nn.BCEWithLogitsLoss()
        output = model(x)
        loss = criterion(output, y)  # HERE
    """,
    "H208 never": """
        model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
        for epoch in range(3):
            for x, y in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                for x, y in val_loader:
                    correct = (model(x).argmax(1) == y).sum()  # HERE
    """,
    "H201 never": """
        optim = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            loss.backward()  # HERE
            optim.step()
    """,
    "H302 product": """
        accuracy = 100 * correct / (64 * 20)  # HERE
    """,
    "H302 in place": """
        running_corrects /= float(128 * 100)  # HERE
    """,
    "H303 never reset": """
        correct = 0
        total = 0
        for epoch in range(10):
            for x, y in train_loader:
                loss.backward()
                correct += (model(x).argmax(1) == y).sum().item()
                total += len(y)
            print(epoch, correct / total)  # HERE
    """,
    "H305 printed": """
        for x, y in train_loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            correct += (model(x).argmax(1) == y).sum().item()
        print(f"Test accuracy {correct / total:.3f}")  # HERE
    """,
    "H401 here": """
        model = resnet18()
        for lr in [0.001, 0.01, 0.1]:
            optimizer = optim.Adam(model.parameters(), lr=lr)  # HERE
            train(model, optimizer)
    """,
    "H401 in a function": """
        def fit(model, lr):
            optimizer = optim.Adam(model.parameters(), lr=lr)  # HERE
            train(model, optimizer)

        net = Net()
        for rate in rates:
            fit(net, rate)
    """,
    "H402 scratch": """
        scratch_model = get_pretrained_resnet()
        empty = resnet18(pretrained=True)  # HERE
    """,
    "H402 never called": """
        def get_pretrained_resnet():
            return resnet18(pretrained=True)

        def get_frozen_resnet():
            return freeze(resnet18(pretrained=True))

        model = get_pretrained_resnet()
        frozenmodel = get_pretrained_resnet()  # HERE
    """,
    "H403 not loaded": """
        pretrained_model = resnet18(pretrained=False)  # HERE
    """,
    "H404 of another": """
        emptymodel, resnetmodel = make(), make()
        empty_dict = resnetmodel.state_dict()  # HERE
        optim.SGD(emptymodel.parameters(), lr=0.1)
    """,
    "H205 never": """
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)  # HERE
        for x, y in loader:
            optimizer.step()
            print(scheduler.get_last_lr())
    """,
    "H206 before": """
        scheduler = StepLR(optimizer, 10)
        for epoch in range(10):
            scheduler.step()  # HERE
            for x, y in loader:
                optimizer.step()
    """,
    "H405 chosen": """
        for epoch in range(10):
            train(model, train_loader)
            test_loss, test_acc = evaluate(model, test_loader)
            if test_acc > best_acc:  # HERE
                best_acc = test_acc
                torch.save(model.state_dict(), "best.pt")
    """,
    "H406 none": """
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()  # HERE
            optimizer.step()
    """,
}
# Nearly the same, and right.
LOOK_ALIKES = {
    "H203 right": "for p in model.parameters():\n    p.requires_grad = False",
    "H203 a parameter": "model.fc.weight.requires_grad = False\nbias = nn.Parameter(w)\nbias.requires_grad = False",
    "H203 an own attribute": "self.require_grad = False\nlayer.require_grad = True\nprint(layer.require_grad)",
    "H203 a tensor": "x = torch.rand(3)\nx.requires_grad = True\nimage.requires_grad = False",
    "H214 a number": "for x in data:\n    loss.backward()\n    opt.step()\n    n += loss.item()\n    m += float(loss)",
    "H214 cut off": "for x in d:\n    loss.backward()\n    opt.step()\n    total += loss.detach()\n    n += loss.data",
    "H214 rebound": "for x in d:\n    loss.backward()\n    opt.step()\n    loss = loss.item()\n    total += loss",
    "H214 differentiated": "for x in d:\n    loss.backward()\n    total += loss\n    opt.step()\n    total.backward()",
    "H104 own batch": "for x, y in train_loader:\n    model(x)\nfor x, y in val_loader:\n    model(x)",
    "H104 inside": "for x, y in train_loader:\n    for xv, yv in val_loader:\n        model(x)\n        model(xv)",
    "H104 moved": "for x, y in loader:\n    x, y = x.cuda(), y.cuda()\n    model(x)",
    "H104 skipped": "it = iter(loader)\nx, y = next(it)\nx, y = next(it)",
    "H104 shuffled": "loader = DataLoader(d, 8, True)\nfor i in range(9):\n    x = next(iter(loader))",
    "H104 once": "loader = DataLoader(d, 8)\nx = next(iter(loader))",
    "H104 in a comprehension": (
        "for x, y in train_loader:\n    model(x)\nfor batch in val_loader:\n    out = [model(x) for x in batch]"
    ),
    "H104 to a device": "for x, y in train_loader:\n    d = x\nfor x, y in val_loader:\n    model(x.to(d))",
    "H214 perhaps a number": (
        "for x in d:\n    loss.backward()\n    opt.step()\n    if many:\n        loss = loss.item()\n    total += loss"
    ),
    "H303 folds": (
        "correct = 0\nfor fold in range(5):\n    for x in d:\n        loss.backward()\n        correct += 1\n"
        "    print(correct)"
    ),
    "H205 of a class": "class Config:\n    scheduler = StepLR(opt, 1)\nopt.step()",
    "H210 perhaps": ("out = model(x)\nif not training:\n    out = F.softmax(out, 1)\nloss = F.cross_entropy(out, y)"),
    "H210 in the other branch": (
        "out = model(x)\nif training:\n    loss = F.cross_entropy(out, y)\nelse:\n    out = F.softmax(out, 1)\n"
        "if training:\n    out = F.softmax(out, 1)\nelse:\n    loss = F.cross_entropy(out, y)"
    ),
    "H301 several": "net = nn.Sequential(nn.Linear(4, 2))\npred = net(x).argmax(1)",
    "H301 over samples": "net = nn.Linear(4, 1)\nbest = net(x).argmax(0)",
    "H301 replaced": (
        "class N(nn.Module):\n    def __init__(self):\n        self.fc = nn.Linear(4, 1)\n"
        "    def forward(self, x):\n        return self.fc(x)\n"
        "m = N()\nm.fc = nn.Linear(4, 5)\npred = m(x).argmax(1)"
    ),
    "H210 logarithm": "loss = F.cross_entropy(F.log_softmax(x, 1), y)",
    "H210 soft labels": "loss = F.cross_entropy(scores, teacher_scores.softmax(1))",
    "H210 rebound": "out = model(x)\nloss = F.cross_entropy(out, y)\nout = F.softmax(out, 1)",
    "H210 probabilities": "loss = nn.BCELoss()(torch.sigmoid(x), y)\nl = F.nll_loss(F.log_softmax(x, 1), y)",
    "H201 afterwards": "for x in d:\n    loss.backward()\n    optimizer.step()\n    model.zero_grad()",
    "H201 to none": "for x in d:\n    loss.backward()\n    optimizer.step()\n    for p in ps:\n        p.grad = None",
    "H201 a model each": "for s in d:\n    opt = SGD(ps, 1)\n    loss.backward()\n    opt.step()",
    "H302 pixels": "x = image / (2 * 255)\nmean = correct / total\nshare = correct / (n * 64)",
    "H303 reset": (
        "correct = 0\nfor e in range(9):\n    correct = 0\n    for x in d:\n        correct += 1\n    print(correct)"
    ),
    "H303 once at the end": "correct = 0\nfor e in range(9):\n    for x in d:\n        correct += 1\nprint(correct)",
    "H305 both": "for x in train_loader:\n    loss.backward()\n    correct += 1\nprint('train and test', correct)",
    "H401 stages": (
        "model = make()\nfor lr in [0.1, 0.2]:\n    for p in model.parameters():\n        p.requires_grad = True\n"
        "    opt = SGD(model.parameters(), lr=lr)"
    ),
    "H401 copied": (
        "m = make()\nfor lr in [0.1, 0.2]:\n    model = copy.deepcopy(m)\n    opt = SGD(model.parameters(), lr=lr)"
    ),
    "H402 from a file": "scratch = make_model(config)\nfresh = Net(pretrained=False)\nempty = load_weights(None)",
    "H404 handed over": (
        "target_dict = policy.state_dict()\ntarget_net.load_state_dict(target_dict)\ntarget_net.parameters()"
    ),
    "H205 handed on": "s = StepLR(opt, 1)\ntrain(model, s)\nopt.step()",
    "H205 in a list": "w = LinearLR(o)\ns = SequentialLR(o, [w])\ns.step()\no.step()",
    "H206 after": "s = StepLR(opt, 1)\nfor e in range(9):\n    for x in d:\n        opt.step()\n    s.step()",
    "H206 guarded": "s = StepLR(opt, 1)\nfor e in range(9):\n    if e:\n        s.step()\n    opt.step()",
    "H405 validation": (
        "for epoch in range(9):\n    acc = evaluate(m, val_loader)\n    test = evaluate(m, test_loader)\n"
        "    if acc > best:\n        best = acc\n        torch.save(m.state_dict(), 'm')"
    ),
    "H406 seeded": "set_seed(1)\nfor x in d:\n    opt.zero_grad()\n    loss.backward()\n    opt.step()",
}


def _told(folder: Path, text: str) -> list[tuple[str, int]]:
    script = folder / "train.py"
    script.write_text(text)
    return [(each.code, each.place.line) for each in read(script)]


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_bug_is_told_on_its_line(name: str, tmp_path: Path) -> None:
    text = textwrap.dedent(CASES[name])
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "# HERE" in each)
    assert (name.partition(" ")[0], line) in _told(tmp_path, text)


@pytest.mark.parametrize("name", sorted(LOOK_ALIKES))
def test_what_looks_alike_is_not_told(name: str, tmp_path: Path) -> None:
    assert name.partition(" ")[0] not in {code for code, _ in _told(tmp_path, LOOK_ALIKES[name])}


def _notebook(folder: Path, *cells: str) -> Path:
    path = folder / "notes.ipynb"
    held = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    path.write_text(json.dumps({"cells": held, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_a_notebook_is_read_over_its_cells_and_told_by_them(tmp_path: Path) -> None:
    path = _notebook(
        tmp_path,
        "%matplotlib inline\nimport torch",
        "!ls\nscheduler = StepLR(optimizer, 3)\nnet = nn.Linear(3, 1)",
        "optimizer.step()\nawait_me = 1\npred = net(x).argmax(1)",
    )
    told = [(each.code, each.place.file, each.place.line) for each in read(path)]
    assert told == [("H205", "<cell 2>", 2), ("H301", "<cell 3>", 3)]


def test_a_later_cell_that_steps_the_scheduler_is_seen(tmp_path: Path) -> None:
    assert read(_notebook(tmp_path, "scheduler = StepLR(o, 3)", "o.step()", "scheduler.step()")) == ()


def test_the_place_is_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("for p in net.parameters():\n    p.require_grad = False\n")
    (finding,) = read(Path("train.py"))
    assert finding.place.file == str(tmp_path / "train.py")
    assert finding.believed
    assert re.search(r"p\.require_grad", finding.observed)


def test_a_syntax_error_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("for x in:\n")
    with pytest.raises(UsageError, match="cannot be read as Python"):
        read(tmp_path / "broken.py")


@pytest.mark.parametrize(
    "text", ["", "x" + "+x" * 150, "lambda: (yield)", "class A: x = 1", "@d\ndef f(a=b): return a"]
)
def test_any_python_can_be_read(text: str, tmp_path: Path) -> None:
    assert _told(tmp_path, text) == []


def test_reading_imports_no_torch() -> None:
    code = "import sys; import heldout.auditing.reading.scripts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
