"""`heldout audit` as people and programs call it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.auditing.auditor import audit, read_only
from heldout.auditing.rule import AuditFinding
from heldout.cli.main import main
from heldout.errors import UsageError

FREEZES = "for p in model.parameters():\n    p.require_grad = False\n"
OVERLAPS = """import sys
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(100, 5)
train_set = TensorDataset(x, (x[:, 0] > 0).long())
model = torch.nn.Linear(5, 2)
optimiser = torch.optim.SGD(model.parameters(), 0.1)
for a, b in DataLoader(train_set, 10, shuffle=True):
    optimiser.zero_grad()
    torch.nn.functional.cross_entropy(model(a), b).backward()
    optimiser.step()
val_loader = DataLoader(train_set, 10)
model.eval()
with torch.no_grad():
    right = sum((model(a).argmax(1) == b).sum().item() for a, b in val_loader)
print("accuracy", right / 100, end="")
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def _code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["audit", *arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_a_script_without_training_is_said_to_have_none(capfd: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text("import sys\nprint('hello', sys.argv[1:], end='')\n")
    assert _code("train.py", "--", "--epochs", "3", "--json") == 0
    out, err = capfd.readouterr()
    assert out.startswith("hello ['--epochs', '3', '--json']\nheldout audit of train.py\n\nNo training was seen")
    assert out.splitlines()[-1].startswith("0 errors, 0 warnings, 0 notes in train.py; watched 0 models")
    assert err == ""


def test_for_a_program_standard_output_holds_one_object(capfd: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text("import os, sys\nos.write(1, b'raw')\nprint('cooked')\nsys.exit(3)\n")
    assert _code("train.py", "--json") == 3
    out, err = capfd.readouterr()
    assert (json.loads(out)["outcome"], json.loads(out)["exit_code"]) == ("exit 3", 3)
    assert err == "rawcooked\n"


def test_what_was_meant_for_the_script_is_put_right(capfd: pytest.CaptureFixture[str]) -> None:
    assert _code("train.py", "--epochs", "3") == 2
    assert "fix: heldout audit train.py -- --epochs 3" in capfd.readouterr().err
    assert _code("--max-secnds", "3") == 2
    assert "No such option: --max-secnds" in capfd.readouterr().err
    assert _code("train.py", "--max-seconds", "soon") == 2
    assert "fix: heldout audit --help" in capfd.readouterr().err
    assert _code() == 2
    assert "no script was named" in capfd.readouterr().err
    assert _code("train.py", "--fail-on", "anything") == 2


def test_a_module_runs_as_after_m(capfd: pytest.CaptureFixture[str]) -> None:
    Path("pack").mkdir()
    Path("pack/train.py").write_text("import sys\nprint(__name__, __spec__.name, sys.argv[1:])\n")
    assert _code("-m", "pack.train", "--", "--fast") == 0
    assert capfd.readouterr().out.startswith("__main__ pack.train ['--fast']\n")


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(capfd: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text("print('ran')\n")
    assert _code("train.py", "--sarif", "no/folder/out.sarif") == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "fix: mkdir -p" in err


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)])
def test_reading_alone_finds_what_the_text_shows(fail_on: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text("raise SystemExit('it ran')\n" + FREEZES)
    assert _code("train.py", "--static", "--fail-on", fail_on, "--sarif", "out.sarif") == code
    out, err = capfd.readouterr()
    assert "train.py:3\n    3 | p.require_grad = False" in out
    assert "read and not run" in out.splitlines()[-1]
    assert "it ran" not in out + err
    (result,) = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "H203"


def test_a_notebook_is_read_by_its_cells() -> None:
    cells = [{"cell_type": "code", "source": text} for text in ("%matplotlib inline\nimport torch", FREEZES)]
    Path("train.ipynb").write_text(json.dumps({"cells": cells}))
    found = read_only("train.ipynb")
    assert "train.ipynb, cell 2, line 2" in found.summary()


def test_the_parent_needs_no_torch_and_no_training_no_numpy(capfd: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text("import sys\nprint(sorted({'numpy', 'torch', 'typer', 'random'} & set(sys.modules)))\n")
    blocked = 'import sys; sys.modules["torch"] = None; from heldout.cli.main import main; main(sys.argv[1:])'
    done = subprocess.run([sys.executable, "-c", blocked, "audit", "train.py"], env=os.environ, check=False)
    assert done.returncode == 0
    assert capfd.readouterr().out.startswith("[]\n")


def test_findings_outlive_a_reading_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path) -> tuple[AuditFinding, ...]:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("heldout.auditing.reading.scripts.read", fails)
    Path("train.py").touch()
    found = audit("train.py")
    assert found.watched is not None
    assert found.watched.faults == ("reading train.py: RuntimeError: a fault of ours",)


def test_a_missing_script_is_refused_in_python_too() -> None:
    with pytest.raises(UsageError, match="there is no file"):
        audit("train.py")


@pytest.mark.slow
def test_training_is_judged_and_the_exit_code_of_the_script_wins(capfd: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text(OVERLAPS)
    blocked = 'import sys; sys.modules["torch"] = None; from heldout.cli.main import main; main(sys.argv[1:])'
    command = [sys.executable, "-c", blocked, "audit", "train.py", "--sarif", "out.sarif", "--"]
    assert subprocess.run([*command, "0"], check=False).returncode == 1
    out, err = capfd.readouterr()
    assert out.startswith("accuracy 0.")
    assert "\nheldout audit of train.py\n\nerror H101 evaluated-on-trained-samples\n  train.py:17\n" in out
    assert "watched 1 model, 10 optimiser steps, 1 evaluation, 100 samples" in out.splitlines()[-1]
    assert err == ""
    assert json.loads(Path("out.sarif").read_text())["runs"][0]["results"][0]["level"] == "error"
    assert subprocess.run([*command, "4"], check=False).returncode == 4
    assert "The script itself ended with exit code 4." in capfd.readouterr().out
