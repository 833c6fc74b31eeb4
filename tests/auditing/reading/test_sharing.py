"""Reading of models that are shared, of numbers under other names, and of choices made on the test part."""

from pathlib import Path

import pytest

from heldout.auditing.reading.scripts import read

HEAD = "import copy\nimport torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    pass\n\n\n"
TWO = "a, b = make(), make()\n"
OPTIMISERS = "one, two = torch.optim.SGD(a.parameters(), lr=0.1), torch.optim.SGD(b.parameters(), lr=0.1)\n"
EPOCHS = "for epoch in range(9):\n    train(model, train_loader)\n    acc = evaluate(model, test_loader)\n"


def _codes(tmp_path: Path, text: str) -> list[str]:
    script = tmp_path / "script.py"
    script.write_text(HEAD + text)
    return [each.code for each in read(script)]


@pytest.mark.parametrize(
    "text",
    [
        "def make(net=Net()):\n    return net\n\n\n" + TWO,
        "def make(*, body=nn.Sequential(nn.Linear(2, 8), nn.ReLU())):\n    return body\n\n\n" + TWO,
        "class Both:\n    def __init__(self, n, net=Net()):\n        self.net = net\n\n\na, b = Both(1), Both(2)\n",
        "nets = [Net()] * 5\n",
        "a = b = Net()\n" + OPTIMISERS,
    ],
)
def test_one_model_where_several_are_meant(tmp_path: Path, text: str) -> None:
    assert _codes(tmp_path, text) == ["H402"]


@pytest.mark.parametrize(
    "text",
    [
        "def make(net=Net()):\n    return net\n\n\na = make()\n",  # called once
        "def make(net=Net()):\n    return net\n\n\na, b = make(Net()), make(net=Net())\n",
        "def make(act=nn.ReLU()):\n    return nn.Sequential(nn.Linear(2, 2), act)\n\n\n" + TWO,
        "def make(net=None):\n    return net or Net()\n\n\n" + TWO,
        "nets = [Net() for _ in range(5)]\n",
        "class Deep(nn.Module):\n    def __init__(self):\n        self.parts = nn.ModuleList([Net()] * 5)\n",
        "a = b = Net()\none = torch.optim.SGD(a.parameters(), lr=0.1)\n",
        "a = Net()\nb = copy.deepcopy(a)\n" + OPTIMISERS,
    ],
)
def test_models_of_their_own_and_shared_layers_are_silent(tmp_path: Path, text: str) -> None:
    assert _codes(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        'print(f"loss {loss:.3f} val_acc {train_acc:.3f}")\n',
        'print("val acc %.3f, loss %.3f" % (meters["train_acc"].avg, loss))\n',
        'print("val acc {:.3f}".format(history["train"][-1]))\n',
        'log.info("test R2 %.3f", r2_score(y_train, pred_train))\n',
        'print("validation accuracy:", 100 * train_correct / train_total)\n',
    ],
)
def test_numbers_that_are_called_training_and_told_as_held_out(tmp_path: Path, text: str) -> None:
    assert _codes(tmp_path, text) == ["H305"]


@pytest.mark.parametrize(
    "text",
    [
        'print(f"train acc {train_acc:.3f} val acc {val_acc:.3f}")\n',
        'print("train/val acc %.3f/%.3f" % (train_acc, val_acc))\n',
        'print(f"val acc {correct / (len(y) - n_train):.3f}")\n',
        'print(f"test acc of {n_train} training samples")\n',
        'train_acc = evaluate(val_loader)\nprint(f"val acc {train_acc:.3f}")\n',  # only its name is wrong
        'print("val acc {1:.3f} {0:.3f}".format(train_acc, val_acc))\n',
        'print(f"test samples {len(train_idx)}")\n',  # no metric
    ],
)
def test_numbers_of_their_own_name_and_mixed_ones_are_silent(tmp_path: Path, text: str) -> None:
    assert _codes(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "best = 0\n" + EPOCHS + '    if acc > best:\n        best = acc\nprint("test accuracy", best)\n',
        "stopper = EarlyStopping(3)\n"
        + EPOCHS.replace("acc", "test_loss")
        + "    if stopper.step(test_loss):\n        break\n",
    ],
)
def test_choices_that_are_made_on_the_test_part(tmp_path: Path, text: str) -> None:
    assert _codes(tmp_path, text) == ["H405"]
    assert _codes(tmp_path, text + "check(val_loader)\n") == []


def test_a_running_loss_that_is_never_set_back(tmp_path: Path) -> None:
    loop = "for epoch in range(9):\n{}    for x, y in train_loader:\n        running_loss += step(x, y)\n"
    told = "    mean = running_loss / len(train_loader)\n    print(epoch, mean)\n"
    assert _codes(tmp_path, "running_loss = 0.0\n" + loop.format("") + told) == ["H303"]
    assert _codes(tmp_path, loop.format("    running_loss = 0.0\n") + told) == []
