"""Keeps the watch out of sight: of warnings, tracebacks, compilers and scripts. Imports nothing but Python."""

import functools
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any, cast

_OURS = str(Path(__file__).parents[1])
# A warning is shown at the line so many frames up; Python leaves out of the count the frames of files that are called
# after both of these words, for they are its own, as ours are not the user's (`warnings._is_internal_frame`).
_UNCOUNTED = " (importlib _bootstrap)"

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], Any]


def standing_in(original: Any, function: Any) -> Any:
    """A function that passes for another: it has its name, source and names, and its frame is not counted.

    Args:
        original: What it passes for.
        function: Asks for no global name of its own; only for what it encloses.
    """
    # `torch.jit.script` reads the source of the original, and looks its names up where the function has its own.
    names = getattr(original, "__globals__", function.__globals__)
    made = FunctionType(_uncounted(function.__code__), names, None, None, function.__closure__)
    return functools.wraps(original)(made)


def uncounted(function: Any) -> None:
    """Leave a function's frame out of the count of warnings."""
    plain = cast(Any, getattr(function, "__func__", function))
    plain.__code__ = _uncounted(plain.__code__)


def _uncounted(code: Any) -> Any:
    name = code.co_filename
    return code if name.endswith(_UNCOUNTED) else code.replace(co_filename=name + _UNCOUNTED)


def without_our_frames(shown: Hook) -> Hook:
    """Shows an error as it would be shown without us.

    Args:
        shown: How errors are shown, as in `sys.excepthook`.
    """

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        error.__traceback__ = trace
        _clean(error, set())
        shown(kind, error, error.__traceback__)

    return hook


def _clean(error: BaseException | None, known: set[int]) -> None:
    """Take our frames out of an error, and out of those that led to it or are part of it."""
    if error is None or id(error) in known:
        return
    known.add(id(error))
    own = _own_frames(error.__traceback__)
    error.__traceback__ = own or error.__traceback__
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        _clean(other, known)


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    frames = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_OURS):
            frames.append(trace)
        trace = trace.tb_next
    for before, after in itertools.zip_longest(frames, frames[1:]):
        before.tb_next = after
    return frames[0] if frames else None


def is_off_in(torch: Any) -> Callable[[], bool]:
    """Tells whether torch is at work on something that is no computation: a compiler, a tracer, a transform.

    What the watch asks of a tensor would then become part of what is compiled or counted.

    Args:
        torch: The module.
    """
    compiling: Callable[[], bool] = torch.compiler.is_compiling
    tracing = getattr(torch._C, "_get_tracing_state", lambda: None)
    n_modes = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)
    transform = getattr(getattr(torch._C, "_functorch", None), "peek_interpreter_stack", lambda: None)

    def is_off() -> bool:
        # A compiler reads the first answer, and no further.
        if compiling() or tracing() is not None or n_modes() > 0 or transform() is not None:
            return True
        return bool(getattr(sys.modules.get("torch.fx._symbolic_trace"), "_is_fx_tracing_flag", False))

    return is_off


def told_to_scripts(original: Any, function: Any) -> Callable[[], None]:
    """Have `torch.jit.script` take a function for the operator it stands for; gives what undoes that."""
    table: dict[int, str] = getattr(sys.modules.get("torch.jit._builtins"), "_builtin_table", None) or {}
    if id(original) in table:
        table[id(function)] = table[id(original)]

    def forget() -> None:
        table.pop(id(function), None)

    return forget
