"""Where in the user's own code something happens, and what the user calls a thing. Imports nothing but Python."""

import dis
import linecache
import re
import sys
import sysconfig
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from weakref import WeakKeyDictionary

from heldout.auditing.seen.place import Place

_OURS = str(Path(__file__).parents[1])
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
# What Python is at in the line of a loop; a wrapper that is a generator runs within it.
_ITERATING = frozenset({"GET_ITER", "FOR_ITER", "GET_YIELD_FROM_ITER", "SEND"})
_ASK_FOR_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})
_known: dict[str, bool] = {}
_asking: "WeakKeyDictionary[CodeType, bool]" = WeakKeyDictionary()


def is_users(file: str) -> bool:
    """Whether a file is the user's own: no installed package, nothing of ours, nothing built in."""
    known = _known.get(file)
    if known is None:
        path = str(Path(file).absolute()) if not file.startswith("<") else file
        known = not path.startswith((_OURS, *_NOT_THE_USERS)) and not _INSTALLED.search(path)
        known = _known[file] = known and (not file.startswith("<") or file.startswith(_TYPED_IN))
    return known


def is_asked_here() -> bool:
    """Whether the user's own line iterates over what is iterated just now, by itself or through a wrapper such as tqdm.

    It does not where the line calls a function of a framework that has loops of its own, such as `trainer.fit()`.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    is_direct = True
    while frame is not None and not is_users(frame.f_code.co_filename):
        frame, is_direct = frame.f_back, False
    if frame is None or is_direct:
        return is_direct
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in _ITERATING


def asked_from() -> Place:
    """The user's line that called a framework which called the user's innermost function; line 0 where none did."""
    is_inside, is_called_back = False, False
    for frame in frames():
        file = frame.f_code.co_filename
        if not is_users(file):
            is_called_back = is_called_back or (is_inside and not file.startswith(_OURS))
        elif is_called_back:
            return Place(file, frame.f_lineno)
        else:
            is_inside = True
    return Place()


def function_here() -> str:
    """The name of the user's innermost function on the stack; empty where that is the module itself."""
    for frame in frames():
        if is_users(frame.f_code.co_filename):
            return frame.f_code.co_name if frame.f_code.co_flags & CO_OPTIMIZED else ""
    return ""


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


def call_site(most: int = 4) -> int:
    """A number for the user's call that is under way, and where its callers stand: two calls of a line differ."""
    found, frame = 0, sys._getframe(1)
    while frame is not None and most:
        if is_users(frame.f_code.co_filename):
            found, most = hash((found, frame.f_code.co_filename, frame.f_code.co_name, frame.f_lasti)), most - 1
        frame = frame.f_back  # type: ignore[assignment]
    return found


def stack_of_lines() -> int:
    """A number that is the same where the same lines led here; names on such a stack need not be looked for twice."""
    frame: FrameType | None = sys._getframe(1)
    lines = []
    while frame is not None:
        lines += [id(frame.f_code), frame.f_lasti]
        frame = frame.f_back
    return hash(tuple(lines))


def names_of(thing: Any) -> list[str]:
    """What the user calls a thing, innermost first; what installed packages call it, where the user has no name for it.

    Args:
        thing: Is compared by identity.
    """
    own, others = _names_of(thing)
    return own or others


def users_names_of(thing: Any) -> list[str]:
    """What variables and attributes in the user's own frames on the stack are bound to a thing, innermost first."""
    return _names_of(thing)[0]


def _names_of(thing: Any) -> tuple[list[str], list[str]]:
    """The user's names for a thing, and those that installed packages have for it."""
    own: dict[str, None] = {}
    others: dict[str, None] = {}
    for frame in frames():
        file = frame.f_code.co_filename
        if file.startswith(_OURS):
            continue
        is_own = is_users(file)
        found = own if is_own else others
        for name, value in _locals(frame):
            if value is thing and name not in _SAYS_NOTHING and not name.startswith(("__", ".")):
                found[name] = None
            elif name == "self" and is_own:
                found |= {each: None for each, held in _attributes(value) if held is thing}
        if len(own) >= MOST_NAMES:
            break
    return list(own)[:MOST_NAMES], list(others)[:MOST_NAMES]


def _locals(frame: FrameType) -> list[tuple[str, Any]]:
    """The variables of a frame, without a trace of our having asked."""
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED or sys.version_info >= (3, 13):
        return list(frame.f_locals.items())
    if _asks_for_locals(code):
        return []  # it would find in its own `locals()` what came after
    # Until Python 3.13 a function's frame keeps a copy, and with it everything alive that the function has let go.
    copy = frame.f_locals
    held = list(copy.items())
    if sys.gettrace() is None:  # a debugger writes the copy back
        copy.clear()
    return held


def _asks_for_locals(code: CodeType) -> bool:
    """Whether a function calls `locals()` and the like; a method of that name, as in `model.eval()`, is none."""
    if _ASK_FOR_LOCALS.isdisjoint(code.co_names):
        return False
    if code not in _asking:
        loads = (each for each in dis.get_instructions(code) if each.opname in {"LOAD_GLOBAL", "LOAD_NAME"})
        _asking[code] = any(each.argval in _ASK_FOR_LOCALS for each in loads)
    return _asking[code]


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
