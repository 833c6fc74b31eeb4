"""Where in the user's own code something happens, and what the user calls a thing. Imports nothing but Python."""

import linecache
import re
import sys
import sysconfig
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import FrameType
from typing import Any

from heldout.auditing.log import Place

_OURS = str(Path(__file__).parent)
# Code that the user did not write: the standard library and installed packages.
_NOT_THE_USERS = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")} | {"<frozen"}
)
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
# Code that the user typed and that is in no file: a cell of ours, of an older IPython, the prompt of Python.
_TYPED_IN = ("<cell", "<ipython", "<stdin>")
# An object's own name for itself says nothing.
_SAYS_NOTHING = frozenset({"self", "cls", "_", "obj", "value", "item", "result", "args", "kwargs"})
MOST_NAMES = 6
_ASK_FOR_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})
_known: dict[str, bool] = {}


def is_users(file: str) -> bool:
    """Whether a file is the user's own: no installed package, nothing of ours, nothing built in."""
    known = _known.get(file)
    if known is None:
        path = str(Path(file).absolute()) if not file.startswith("<") else file
        known = not path.startswith((_OURS, *_NOT_THE_USERS)) and not _INSTALLED.search(path)
        known = _known[file] = known and (not file.startswith("<") or file.startswith(_TYPED_IN))
    return known


def frames() -> Iterator[FrameType]:
    """The frames on the stack, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def place() -> Place:
    """The innermost line of the user's own code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return Place()


def stack_of_places(most: int = 8) -> list[Place]:
    """The lines of the user's own code that led here, innermost first."""
    found = []
    for frame in frames():
        if is_users(frame.f_code.co_filename):
            found.append(Place(frame.f_code.co_filename, frame.f_lineno))
            if len(found) == most:
                break
    return found


def names_of(thing: Any) -> list[str]:
    """What variables and attributes on the stack are bound to a thing, innermost first.

    Args:
        thing: Is compared by identity.
    """
    found: dict[str, None] = {}
    for frame in frames():
        file = frame.f_code.co_filename
        if file.startswith(_OURS):
            continue
        for name, value in _locals(frame):
            if value is thing and name not in _SAYS_NOTHING and not name.startswith(("__", ".")):
                found[name] = None
            elif name == "self" and is_users(file):
                found |= {each: None for each, held in _attributes(value) if held is thing}
        if len(found) >= MOST_NAMES:
            break
    return list(found)[:MOST_NAMES]


def _locals(frame: FrameType) -> list[tuple[str, Any]]:
    """The variables of a frame, without a trace of our having asked."""
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED or sys.version_info >= (3, 13):
        return list(frame.f_locals.items())
    if not _ASK_FOR_LOCALS.isdisjoint(code.co_names):
        return []  # it would find in its own `locals()` what came after
    # Until Python 3.13 a function's frame keeps a copy, and with it everything alive that the function has let go.
    copy = frame.f_locals
    held = list(copy.items())
    if sys.gettrace() is None:  # a debugger writes the copy back
        copy.clear()
    return held


def texts_here(most: int = 12) -> list[str]:
    """Short texts bound in the user's own frames, and the names that their lines assign to, innermost first."""
    found: dict[str, None] = {}
    for frame in frames():
        if not is_users(frame.f_code.co_filename):
            continue
        if frame.f_code.co_name != "<module>":
            short = (value for _, value in _locals(frame) if isinstance(value, str) and len(value) <= 40)
            found |= dict.fromkeys(short)
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        assigned = re.match(r"\s*([\w, ]+?)\s*=[^=]", line)
        if assigned:
            found |= dict.fromkeys(name.strip() for name in assigned[1].split(","))
    return list(found)[:most]


def _attributes(thing: Any) -> list[tuple[str, Any]]:
    try:
        return list(vars(thing).items())
    except TypeError:
        return []
