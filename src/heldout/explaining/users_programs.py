"""`FILE.py` and `package.file` -> a program of the user's, run as importing it would.

What it prints goes to stderr, what it draws is taken from nobody else's random numbers, and what fails in it is told
with its line.
"""

import contextlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from heldout.errors import UsageError, is_want_of_memory

_WAYS = "FILE.py:NAME or package.file:NAME"


def program_of(place: str, *, expected: str = _WAYS) -> ModuleType:
    """The program, after it ran.

    Args:
        place: A file, or a module as Python names it, which is looked for in the working folder too.
        expected: For the error where `place` is neither.

    Raises:
        UsageError: There is no such file or module, or it fails.
    """
    path = Path(place)
    if place.endswith(".py") or path.exists():
        if not path.is_file():
            raise UsageError(f"there is no file {place!r}", expected="FILE.py:NAME", fix="correct the path")
        return _run_file(path)
    if not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(
            f"{place!r} is neither a file nor the name of a package",
            expected=expected,
            fix="correct what stands before the colon",
        )
    with users_code(place):
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


def made_by(maker: Callable[..., Any], name: str, place: str) -> Any:
    """What a class or function of the program makes without arguments.

    Raises:
        UsageError: It needs arguments, or fails.
    """
    try:
        inspect.signature(maker).bind()
    except TypeError as error:
        raise UsageError(
            f"{name} cannot be called without arguments: {error}",
            expected="a module, or a class or function that makes one without arguments",
            fix="write a function that fills them in, such as `def network(): return Net(10)`, and name it",
        ) from None
    except ValueError:
        pass  # written in C, without a signature: it is tried
    with users_code(place):
        return maker()


@contextlib.contextmanager
def users_code(place: str) -> Iterator[None]:
    """Code of the user's runs inside: it finds the files beside it, and its errors are told as such.

    Args:
        place: The program it belongs to; empty where it comes from a running program, whose errors pass through.
    """
    import torch

    folder = str(Path(place).resolve().parent if place.endswith(".py") or Path(place).is_file() else Path.cwd())
    sys.path.insert(0, folder)
    try:
        with contextlib.redirect_stdout(sys.stderr), torch.random.fork_rng(devices=()):
            yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        if not place or is_want_of_memory(error):
            raise
        raise UsageError(
            f"{place} fails{_line_of(error, place)}: {type(error).__name__}: {_first_line(error)}",
            expected="a program that runs without an error, and needs nobody to answer it",
            fix="correct it; `python` with the same file shows the whole error",
        ) from error
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


def _run_file(path: Path) -> ModuleType:
    name = f"explained_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise UsageError(f"{str(path)!r} is no Python file", expected="FILE.py:NAME", fix="rename it")
    program = importlib.util.module_from_spec(specification)
    sys.modules[name] = program  # dataclasses look their module up there
    with users_code(str(path)):
        specification.loader.exec_module(program)
    return program


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
