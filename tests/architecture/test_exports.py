"""What is public, and that it is told: docstrings, their arguments, and types."""

import ast
import inspect
import re
import typing
from operator import attrgetter
from pathlib import Path

import pytest

import heldout
from heldout.cli.explain import app

SOURCE = Path(heldout.__file__).parent
PUBLIC = [
    "train",
    "resume",
    "check",
    "predict",
    "evaluate",
    "sweep",
    "compare",
    "report",
    "open_run",
    "explain",
    "audit",
    "watching",
    "TableClassifier",
    "ImageClassifier",
    "BalancedBatchSampler",
    "fit_stream",
    "Run",
    "Sweep",
    "Check",
    "Prediction",
    "Evaluation",
    "Compared",
    "Finding",
    "HeldoutError",
]
SUBJECTS = [f"explain.{name}" for name in heldout.explain.__all__]
FILES = sorted(SOURCE.rglob("*.py"))


def test_the_public_names_are_these() -> None:
    assert heldout.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(heldout))
    assert all(getattr(heldout, name).__name__.rpartition(".")[2] == name for name in PUBLIC)


def test_what_can_be_explained_is_what_the_command_explains() -> None:
    named = [command.callback.__name__ for command in app.registered_commands if command.callback]
    assert named == heldout.explain.__all__
    assert set(heldout.explain.__all__) <= set(dir(heldout.explain))
    with pytest.raises(AttributeError, match="no attribute 'dekay'"):
        _ = heldout.explain.dekay


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = heldout.tarin


@pytest.mark.parametrize("name", [*(name for name in PUBLIC if name.islower() and name != "explain"), *SUBJECTS])
def test_a_public_function_tells_each_of_its_parameters(name: str) -> None:
    function = attrgetter(name)(heldout)
    parameters = list(inspect.signature(function).parameters)
    told = _told_arguments(inspect.getdoc(function) or "")
    # One argument that the first line explains needs no list.
    assert told == parameters or (len(parameters) == 1 and not told)
    hints = typing.get_type_hints(function)
    assert set(hints) == {*parameters, "return"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SOURCE).as_posix())
def test_every_listed_argument_is_one_and_none_is_left_out(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module says what it is for"
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            told = _told_arguments(ast.get_docstring(node) or "")
            named = [*node.args.posonlyargs, *node.args.args, node.args.vararg, *node.args.kwonlyargs, node.args.kwarg]
            parameters = [each.arg for each in named if each is not None]
            parameters = [each for each in parameters if each not in {"self", "cls"}]
            if told and told != parameters:
                wrong.append(f"{node.name}: told {told}, has {parameters}")
    assert wrong == []


def _told_arguments(docstring: str) -> list[str]:
    """The names under `Args:`, in their order."""
    found = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)+)", inspect.cleandoc(docstring), re.MULTILINE)
    return re.findall(r"^    \*{0,2}(\w+): ", found[1], re.MULTILINE) if found else []
