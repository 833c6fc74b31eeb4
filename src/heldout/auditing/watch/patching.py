"""Functions of other libraries wrapped while a watch lasts, and put back as they were. Imports nothing but Python."""

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from heldout.auditing.watch.unseen import standing_in, told_to_scripts, uncounted

_ABSENT = object()
_MOST_FAULTS = 1000


class Patches:
    """What is wrapped at the moment; `undo` puts all of it back, the latest first.

    Attributes:
        is_off: Whether the originals alone are called just now.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._pid = os.getpid()
        self.is_off: Callable[[], bool] = bool

    def wrap(self, owner: Any, name: str, seen: Callable[..., Any]) -> None:
        """Call `seen(original, *arguments)` in place of a function or method.

        In a process that was forked off, such as a worker of a DataLoader, the original is called alone.

        Args:
            owner: A class, a module or an object.
            name: Of the attribute.
            seen: Is given the original first, and returns what the original returned.
        """
        original = getattr(owner, name)
        is_off, getpid, pid = self.is_off, os.getpid, self._pid

        def wrapped(*arguments: Any, **named: Any) -> Any:
            if is_off() or getpid() != pid:
                return original(*arguments, **named)
            return seen(original, *arguments, **named)

        stand_in = standing_in(original, wrapped)
        uncounted(seen)
        self.afterwards(told_to_scripts(original, stand_in))
        self.put(owner, name, stand_in)

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute until `undo`.

        Args:
            owner: A class, a module or an object.
            name: Of the attribute.
            value: What it is meanwhile.
        """
        before = vars(owner).get(name, _ABSENT) if hasattr(owner, "__dict__") else _ABSENT
        setattr(owner, name, value)

        def put_back() -> None:
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(put_back)

    def afterwards(self, undo: Callable[[], None]) -> None:
        """Have something called when everything is put back."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()


def quietly(seen: Callable[..., None]) -> Callable[..., None]:
    """A watcher's own function that never disturbs what it watches: its errors are kept, and go no further.

    It is asked for at every batch, so that nothing is copied to what it gives, its name least of all.
    """

    def guarded(*arguments: Any, **named: Any) -> None:
        try:
            seen(*arguments, **named)
        except Exception as error:
            note_fault(seen.__qualname__, error)

    return guarded


def note_fault(where: str, error: Exception) -> None:
    """Keep an error of the watch's own, for its report.

    Args:
        where: What went wrong.
        error: How.
    """
    if len(faults) < _MOST_FAULTS:
        faults.append(f"{where}: {type(error).__name__}: {error}"[:500])


# What went wrong in the watch itself; a report says so.
faults: list[str] = []


class _Finder:
    """Finds one module as the others would, with a loader that tells when it was imported."""

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name, self._then, self._is_looking = name, then, False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name or self._is_looking:
            return None
        self._is_looking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._is_looking = False
        # Whoever only asks whether the module is there is told so, and nothing else happens.
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._imported)  # type: ignore[assignment]
        return spec

    def _imported(self, module: ModuleType) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self._then(module)


class _Loader:
    """Loads a module as another loader would, and then calls a function with it."""

    def __init__(self, loader: Any, then: Callable[[ModuleType], None]) -> None:
        self._loader, self._then = loader, then

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        spec.loader = self._loader
        created: ModuleType | None = self._loader.create_module(spec)
        spec.loader = self  # type: ignore[assignment]
        return created

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then(module)


def after_import(name: str, then: Callable[[ModuleType], None], patches: Patches) -> None:
    """Call a function with a module as soon as somebody imports it; now, where somebody has.

    Args:
        name: Of a top-level module.
        then: Is called once.
        patches: Whose `undo` forgets it.
    """
    if name in sys.modules:
        then(sys.modules[name])
        return
    finder = _Finder(name, then)
    sys.meta_path.insert(0, finder)

    def forget() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    patches.afterwards(forget)
