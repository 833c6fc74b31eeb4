"""`FILE.py:NAME` and `package.file:NAME` -> a module out of a program of the user's.

The program is run, as importing it would: what it prints goes to stderr, and what fails in it is told with its line.
"""

import ast
import contextlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from heldout.errors import UsageError, is_want_of_memory, nearest

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
    program = _program(place)
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


def _program(place: str) -> ModuleType:
    path = Path(place)
    if place.endswith(".py") or path.exists():
        if not path.is_file():
            raise UsageError(f"there is no file {place!r}", expected="FILE.py:NAME", fix="correct the path")
        return _run_file(path)
    if not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(
            f"{place!r} is neither a file nor the name of a package",
            expected="FILE.py:NAME or package.file:NAME",
            fix="correct what stands before the colon",
        )
    with _running(place, Path.cwd()):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{place}.".startswith(f"{error.name}."):
                raise
            raise UsageError(
                f"there is no package or file called {error.name!r} here",
                expected="what `python -c 'import ...'` finds from this folder",
                fix="correct the name, or give the path of the file: FILE.py:NAME",
            ) from None


def _run_file(path: Path) -> ModuleType:
    name = f"counted_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path, loader=None)
    if specification is None or specification.loader is None:
        raise UsageError(f"{str(path)!r} is no Python file", expected="FILE.py:NAME", fix="rename it")
    program = importlib.util.module_from_spec(specification)
    sys.modules[name] = program  # dataclasses look their module up there
    with _running(str(path), path.resolve().parent):
        specification.loader.exec_module(program)
    return program


def _made(found: Any, text: str, place: str) -> "nn.Module":
    from torch import nn

    if isinstance(found, nn.Module):
        return found
    if callable(found):
        _check_arguments(found, text)
        with _running(place, Path(place).resolve().parent):
            found = found()
    if not isinstance(found, nn.Module):
        raise UsageError(
            f"{text} gives a {type(found).__name__}",
            expected="a torch.nn.Module, or a class or function that makes one without arguments",
            fix="name another, or write such a function",
        )
    return found


def _check_arguments(function: Any, text: str) -> None:
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise UsageError(
            f"{text} cannot be called without arguments: {error}",
            expected="a module, or a class or function that makes one without arguments",
            fix="write a function that fills them in, such as `def network(): return Net(10)`, and name it",
        ) from None
    except ValueError:
        return  # written in C, without a signature: it is tried


def _candidates(program: ModuleType) -> list[str]:
    """What in a program may make a module, its own classes and functions first."""
    from torch import nn

    names = [name for name in vars(program) if not name.startswith("_")]
    own = [name for name in names if getattr(vars(program)[name], "__module__", "") == program.__name__]
    return [name for name in names if name in own or isinstance(vars(program)[name], nn.Module)]


@contextlib.contextmanager
def _running(place: str, folder: Path) -> Iterator[None]:
    """Code of the user's runs inside: it finds the files beside it, and its errors are told as such.

    What it draws is taken from nobody else's random numbers.
    """
    import torch

    sys.path.insert(0, str(folder))
    try:
        with contextlib.redirect_stdout(sys.stderr), torch.random.fork_rng(devices=()):
            yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        if is_want_of_memory(error):
            raise
        raise UsageError(
            f"{place} fails{_line_of(error, place)}: {type(error).__name__}: {_first_line(error)}",
            expected="a program that runs without an error, and needs nobody to answer it",
            fix="correct it; `python` with the same file shows the whole error",
        ) from error
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"


def _line_of(error: BaseException, place: str) -> str:
    """In which line of the user's file, as far as one can be told."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f" in line {error.lineno}"
    file = Path(place).resolve()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    return f" in line {lines[-1]}" if lines else ""
