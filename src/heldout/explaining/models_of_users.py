"""`FILE.py:NAME` and `package.file:NAME` -> a module out of a program of the user's."""

import ast
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from heldout.errors import UsageError, nearest
from heldout.explaining.users_programs import made_by, program_of

if TYPE_CHECKING:
    from torch import nn


def users_model(text: str) -> "nn.Module":
    """The module that `FILE.py:NAME` or `package.file:NAME` means.

    Args:
        text: NAME is a module, or a class or function that makes one without arguments.

    Raises:
        UsageError: There is no such file or name, it fails, or what it gives is no module.
    """
    place, _, name = text.rpartition(":")
    if not name.isidentifier() or not place:
        raise UsageError(
            f"the model is {text!r}, whose part after the colon is no name",
            expected="FILE.py:NAME or package.file:NAME",
            fix="such as network.py:Net",
        )
    program = program_of(place)
    if not hasattr(program, name):
        known = _candidates(program)
        raise UsageError(
            f"{place} has no {name!r}{nearest(name, known)}",
            expected=f"one of {', '.join(known)}" if known else "a module, or a class or function that makes one",
            fix="correct the name after the colon",
        )
    return _made(getattr(program, name), text, place)


def names_in(file: Path) -> list[str]:
    """The classes and functions of a program, which is read and not run; none where it cannot be read."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return []
    kinds = (ast.ClassDef, ast.FunctionDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def _made(found: Any, text: str, place: str) -> "nn.Module":
    from torch import nn

    if isinstance(found, nn.Module):
        return found
    if callable(found):
        found = made_by(found, text, place)
    if not isinstance(found, nn.Module):
        raise UsageError(
            f"{text} gives a {type(found).__name__}",
            expected="a torch.nn.Module, or a class or function that makes one without arguments",
            fix="name another, or write such a function",
        )
    return found


def _candidates(program: ModuleType) -> list[str]:
    """What in a program may make a module, its own classes and functions first."""
    from torch import nn

    names = [name for name in vars(program) if not name.startswith("_")]
    own = [name for name in names if getattr(vars(program)[name], "__module__", "") == program.__name__]
    return [name for name in names if name in own or isinstance(vars(program)[name], nn.Module)]
