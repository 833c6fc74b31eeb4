"""Every error a user can meet, as one tree.

    HeldoutError                 exit code 70: a fault of ours unless a subclass says otherwise
    ├── UsageError               2   a flag, a keyword or a plan that cannot be meant
    │   └── Diverged             2   the loss of a training is no number any more
    ├── DataError                2   labelled examples that cannot be used as they are
    │   └── UnreadablePictures   2   some files are no pictures; carries the list
    ├── WeightsError             2   a weights file that is absent or belongs to another model
    ├── RunFolderError           2   a folder that is no run, or a run that is not finished
    │   └── DamagedRun          76   a file of a run is not the one that was written
    ├── MissingExtra             2   an optional part is not installed; carries the install line
    ├── OutOfMemory             71   the machine has not the memory that was asked for
    ├── StorageError            74   the disk refused: full, read-only, too large
    └── Locked                  75   another process works in the same run folder

Each is built from three parts: `what` happened (with the value received), what was `expected`, and the
`fix`. The command line prints the three and exits with the code; a traceback means a bug of ours.
"""

import difflib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class HeldoutError(Exception):
    """Base of all errors meant for a reader.

    Args:
        what: What happened, with the value that was received.
        expected: What would have been accepted.
        fix: What to do now, as a command or an edit where there is one.
    """

    exit_code = 70

    def __init__(self, what: str, *, expected: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  expected: {self.expected}\n  fix: {self.fix}"

    def __reduce__(self) -> tuple[Callable[..., "HeldoutError"], tuple[Any, ...]]:
        # A worker process hands its errors on; what a subclass asks for in its constructor is in the state already.
        return _remade, (type(self), self.args, self.__dict__)


def _remade(kind: type[HeldoutError], arguments: tuple[Any, ...], state: Mapping[str, Any]) -> HeldoutError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


class UsageError(HeldoutError, ValueError):
    """A flag, a keyword or a plan that cannot be meant."""

    exit_code = 2


class Diverged(UsageError):
    """The loss is no longer a number."""

    def __init__(self, loss: float, *, epoch: int, step: int, learning_rate: float) -> None:
        super().__init__(
            f"the training loss is {loss} at epoch {epoch}, step {step + 1}: the weights have diverged",
            expected="a finite loss in every step",
            fix=f"lower the learning rate, such as to {learning_rate / 10:g} (it is {learning_rate:g})",
        )


class DataError(HeldoutError, ValueError):
    """Labelled examples that cannot be used as they are."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One file that cannot be used as a picture: which, and why."""

    id: str
    reason: str


class UnreadablePictures(DataError):
    """Some files are no usable pictures.

    Args:
        files: Every one of them, with the reason.
        n_examples: How many files were looked at in all.
    """

    def __init__(self, files: Sequence[Unreadable], *, n_examples: int) -> None:
        self.files = tuple(files)
        shown = "\n".join(f"    {file.id!r}: {file.reason}" for file in self.files[:20])
        more = f"\n    ... and {len(self.files) - 20} more" if len(self.files) > 20 else ""
        super().__init__(
            f"{len(self.files)} of {n_examples} files cannot be read as pictures:\n{shown}{more}",
            expected="every listed file to decode completely as JPEG, PNG, WebP, GIF, BMP or TIFF",
            fix="repair or remove them, or pass --skip-bad to leave them out of the split and record that",
        )


class WeightsError(HeldoutError, ValueError):
    """A weights file that is absent, damaged, or belongs to another model."""

    exit_code = 2


class RunFolderError(HeldoutError, ValueError):
    """A folder that is no run of ours, or a run that is not finished."""

    exit_code = 2


class DamagedRun(RunFolderError):
    """A file of a run is not the one that was written."""

    exit_code = 76


class MissingExtra(HeldoutError, ImportError):
    """An optional part is not installed."""

    exit_code = 2

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(
            what,
            expected=f"the optional part {extra!r} to be installed",
            fix=f"pip install 'heldout[{extra}]'",
        )


class OutOfMemory(HeldoutError, MemoryError):
    """The machine has not the memory that was asked for."""

    exit_code = 71


class StorageError(HeldoutError, OSError):
    """The disk refused: full, read-only, or a file-size limit."""

    exit_code = 74


class Locked(HeldoutError):
    """Another process works in the same run folder."""

    exit_code = 75


# What the programs below us say where memory is refused, besides Python's own MemoryError: torch, the loader of shared
# libraries, C++, Arrow, the system's words for ENOMEM, threads without room for a stack, zlib's Z_MEM_ERROR. In lower
# case.
_MEMORY_WORDS = (
    "allocate memory",
    "out of memory",
    "failed to map segment",
    "bad_alloc",
    "alloc of size",
    "can't start new thread",
    "error -4 while",
    "failed to launch worker thread",
)


def is_want_of_memory(error: BaseException) -> bool:
    """Whether an error, or what brought it about, says that there is not enough memory.

    Example:
        >>> is_want_of_memory(ImportError("libtorch_cpu.so: failed to map segment from shared object"))
        True
        >>> is_want_of_memory(ValueError("no such column"))
        False
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return True
        words = str(cause).lower()
        is_told = isinstance(cause, RuntimeError | ImportError | OSError | zlib.error)
        is_told |= type(cause).__module__.startswith("pyarrow")  # whose errors have no parent but Exception
        if is_told and any(each in words for each in _MEMORY_WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence part that suggests the nearest known word, or an empty string.

    Example:
        >>> nearest("frosen", ["frozen", "full"])
        '; did you mean "frozen"?'
        >>> nearest("zzz", ["frozen"])
        ''
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f'; did you mean "{close[0]}"?' if close else ""


def one_of(name: str, value: object, known: Iterable[str]) -> UsageError:
    """The error for a value that is not among the known ones."""
    words = sorted(known)
    return UsageError(
        f"{name} is {value!r}, which is not known{nearest(str(value), words)}",
        expected=f"one of {', '.join(words)}",
        fix=f"choose one of them for {name}",
    )
