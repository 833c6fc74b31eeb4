"""Modules out of the user's own programs, and how their failures are told."""

import re
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from heldout.errors import UsageError
from heldout.explaining.models_of_users import names_in, users_model

PROGRAM = """
import torch
from torch import nn
from dataclasses import dataclass
from beside import WIDTH

print("a program may say something")

@dataclass
class Plan:
    width: "int" = WIDTH

class Net(nn.Linear):
    def __init__(self, n: int = 4) -> None:
        super().__init__(n, Plan().width)

class Needy(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()

def make():
    return nn.Sequential(Net(), nn.ReLU())

def fails():
    return 1 / 0

def leaves():
    raise SystemExit(3)

ready = nn.Linear(2, 2)
number = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "network.py").write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("WIDTH = 3\n")
    return tmp_path


@pytest.fixture(autouse=True)
def _forget_the_programs() -> None:
    for name in ("beside", "network", "explained_network"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("name", "kind"), [("Net", "Net"), ("make", "Sequential"), ("ready", "Linear")])
def test_a_class_a_function_and_a_module_are_models(
    name: str, kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path_before = list(sys.path)
    model = users_model(f"{folder / 'network.py'}:{name}")
    assert type(model).__name__ == kind
    assert sys.path == path_before
    out, err = capsys.readouterr()
    assert out == ""
    assert "a program may say something" in err


def test_what_a_program_draws_is_nobody_elses(folder: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    users_model(f"{folder / 'network.py'}:make")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_package_is_found_from_the_folder_one_is_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert isinstance(users_model("network:Net"), nn.Linear)
    assert isinstance(users_model("network.py:Net"), nn.Linear)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("network.py:Nett", "has no 'Nett'; did you mean \"Net\""),
        ("network.py:Needy", "cannot be called without arguments: missing a required argument: 'n'"),
        ("network.py:number", "gives a int"),
        ("network.py:fails", "fails in line 25: ZeroDivisionError: division by zero"),
        ("network.py:leaves", "fails in line 28: SystemExit: 3"),
        ("network.py:", "is no name"),
        ("network.py:a b", "is no name"),
        ("network.py:os.system", "is no name"),
        (":Net", "is no name"),
        ("absent.py:Net", "there is no file 'absent.py'"),
        ("absent.package:Net", "there is no package or file called 'absent'"),
        ("not a name:Net", "neither a file nor the name of a package"),
        ("wrong.py:Net", "fails in line 2: SyntaxError"),
        ("needs.py:Net", "fails in line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("needs:Net", "needs fails: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("asks.py:Net", "fails in line 1: "),
        (".:Net", "there is no file '.'"),
    ],
)
def test_what_is_wrong_is_told(text: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "wrong.py").write_text("x = 1\ndef f(:\n")
    (folder / "needs.py").write_text("import nowhere_at_all\n")
    (folder / "asks.py").write_text("input()\n")
    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        users_model(text)
    assert caught.value.expected
    assert caught.value.fix


def test_the_names_in_a_program_are_read_without_running_it(folder: Path) -> None:
    assert names_in(folder / "network.py") == ["Plan", "Net", "Needy", "make", "fails", "leaves"]
    (folder / "wrong.py").write_text("def f(:\n")
    assert names_in(folder / "wrong.py") == []
    assert names_in(folder / "absent.py") == []
