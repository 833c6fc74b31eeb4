"""Runs code as Python runs it: as `__main__`, with its own arguments, path, traceback and exit code.

Torch and numpy are imported when the script imports them, and not before.
"""

import atexit
import builtins
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from heldout.auditing.process.limits import Limit
from heldout.auditing.process.notebooks import codes_of
from heldout.auditing.watch.unseen import without_our_frames
from heldout.auditing.watch.watching import Stopped, Watch, outcome_of


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run.

    Attributes:
        log: Where its log is kept.
        seconds: After which it is stopped; 0 for never.
        steps: Of its optimisers, after which it is stopped; 0 for never.
        kind: `script`, `module` or `notebook`.
        target: The file, or the module's name.
        arguments: Its own.
    """

    log: str
    seconds: float
    steps: int
    kind: str
    target: str
    arguments: list[str]


def run(order: Order, *, at_first: frozenset[str], finds_neighbours: bool) -> None:
    """Run it, and leave by the exception by which it leaves.

    Args:
        order: What is to be run.
        at_first: Names of the modules that Python imports by itself.
        finds_neighbours: Whether it may import the files beside it, as it may unless Python was asked to be safe.
    """
    limit = Limit()
    watch = Watch(order.target, Path(order.log).absolute(), max_steps=order.steps, stop=limit.stop)
    limit.end = watch.end
    _prepare(order, at_first if finds_neighbours else None)
    outcome = "finished"
    watch.begin()
    # The last thing of all: what a script does when it leaves, and in threads that go on, is watched too.
    atexit.register(lambda: watch.end(limit.words or outcome))
    if order.seconds:
        limit.begin(order.seconds)
    try:
        _run(order)
    except Stopped:
        pass
    except SystemExit as end:
        outcome = f"exit {end.code if isinstance(end.code, int) else 1}" if end.code else outcome
        raise
    except BaseException as error:
        outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else outcome_of(error)
        is_plain = sys.excepthook is sys.__excepthook__
        # Python's own hook looks for source in files alone, and not among the cells of a notebook.
        shown = traceback.print_exception if is_plain and order.kind == "notebook" else sys.excepthook
        sys.excepthook = without_our_frames(shown)
        raise


def _prepare(order: Order, at_first: frozenset[str] | None) -> None:
    """Make the arguments, the path and the modules what they would be without us."""
    sys.argv = ["-m" if order.kind == "module" else order.target, *order.arguments]
    sys.orig_argv = [sys.orig_argv[0], *(["-m"] if order.kind == "module" else []), order.target, *order.arguments]
    folder = str(Path.cwd()) if order.kind == "module" else os.path.dirname(os.path.realpath(order.target))  # noqa: PTH120
    if at_first is not None:
        sys.path.insert(0, folder)
        _forget_shadowed(Path(folder), at_first)
    if order.kind == "notebook":
        os.chdir(folder)  # where Jupyter runs it


def _forget_shadowed(folder: Path, at_first: frozenset[str]) -> None:
    """Forget modules that we imported and for which the user has a file of that name; we hold on to what we use."""
    for name in {name.partition(".")[0] for name in sys.modules} - at_first:
        if (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists():
            # Of our own package the parts stay: the watch asks for them while the script runs.
            parts = () if name == "heldout" else tuple(sys.modules)
            for each in (name, *(part for part in parts if part.startswith(f"{name}."))):
                del sys.modules[each]


def _run(order: Order) -> None:
    module = ModuleType("__main__")
    module.__dict__.update(__annotations__={}, __builtins__=builtins)
    sys.modules["__main__"] = module
    if order.kind == "module":
        # What Python itself calls for `-m`; the public function would put back the old `__main__` afterwards.
        as_python: Callable[[str], Any] = vars(runpy)["_run_module_as_main"]
        as_python(order.target)
    elif order.kind == "notebook":
        module.__dict__.update(display=print, get_ipython=_NoNotebook)
        for code in codes_of(Path(order.target).name):
            _run_cell(code, module.__dict__)
    else:
        file = order.target if Path(order.target).is_absolute() else f"{Path.cwd()}/{order.target}"
        module.__dict__.update(__file__=file, __cached__=None, __loader__=SourceFileLoader("__main__", file))
        exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), module.__dict__)


def _run_cell(code: CodeType, names: dict[str, Any]) -> None:
    if code.co_flags & CO_COROUTINE:
        import asyncio

        asyncio.run(eval(code, names))
    else:
        exec(code, names)


class _NoNotebook:
    """Stands where a notebook has its IPython: whatever is asked of it is left undone."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
