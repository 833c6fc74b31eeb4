"""Whether this process would be refused memory, asked of the system instead of read from error messages.

Libraries of C tell want of memory in words of their own ("could not create decoder object", "broken data stream"), if
they tell it at all. A reservation of as much memory as they need says it for certain.
"""

import mmap
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from heldout.errors import OutOfMemory

# Below it OpenBLAS, which numpy computes with, ends the process with a line of its own and exit code 1 where it is
# refused its buffer of 32 MiB, one a thread beside a stack of 8. Measured on 2026-11-23 with 2 threads, numpy 2.4 on
# Linux, on small data: so it went at limits from 350 to 600 MB, and not at 700.
_LEAST_BYTES, _BYTES_PER_THREAD = 570 * 2**20, 40 * 2**20
# What the libraries of torch 2.13 map when they are loaded (490 MiB) and with their first work. With less the process
# was ended by std::bad_alloc or OpenBLAS (limits of 750 and 1,000 MB, 2026-11-23).
_TORCH_BYTES = 620 * 2**20
# With less left than this, an error that nothing else explains is want of memory: libraries that are refused it fail in
# words that say nothing of it ("error return without exception set"), and what they held is not all given back.
_SHORT_BYTES = 128 * 2**20
_NEVER_OVERCOMMITS = "2"
_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")


def has_room(n_bytes: int) -> bool:
    """Whether the system would give this process so many more bytes now; none is used.

    Example:
        >>> has_room(2**20), has_room(2**62)
        (True, False)
    """
    try:
        if sys.platform == "win32":
            reserved = mmap.mmap(-1, max(1, n_bytes))
        else:
            # Private, because limits on what a process allocates do not count what it shares.
            reserved = mmap.mmap(-1, max(1, n_bytes), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, MemoryError, OverflowError, ValueError):
        return False
    reserved.close()
    return True


def is_short() -> bool:
    """Whether this process is limited in memory, and has next to none left."""
    return can_be_refused() and not has_room(_SHORT_BYTES)


def begin_within_limits() -> None:
    """Where memory is limited, spare it, and see that there is room for the least that every command needs.

    Arrow's own allocator maps 1 GiB with the first array where that is allowed, and leaves too little for libraries
    that end the process without memory (measured on 2026-11-23, pyarrow 26); the system's maps what is used. To be
    called before numpy and pyarrow are imported. From then on torch is imported only where there is room for it.

    Raises:
        OutOfMemory: There is not.
    """
    if not can_be_refused():
        return
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if "numpy" not in sys.modules:  # then what it needs was given already
        _see_room("to begin with: this process is refused what every command needs", _LEAST_BYTES)
    if not any(isinstance(each, _BeforeTorch) for each in sys.meta_path):
        sys.meta_path.insert(0, _BeforeTorch())


class _BeforeTorch:
    """Finds torch as it would be found, and sees that there is room for it when it is loaded, wherever that is."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == "torch" else None
        if spec is not None and spec.loader is not None:
            spec.loader = _LoadsWithRoom(spec.loader)
        return spec


class _LoadsWithRoom(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        _see_room("for torch: this process is refused what its libraries need", _TORCH_BYTES)
        spec.loader = self._loader
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)


def _see_room(what: str, n_bytes: int) -> None:
    asked = os.environ.get("OMP_NUM_THREADS", "")
    n_threads = int(asked) if asked.isdecimal() else os.cpu_count() or 1
    least = n_bytes + _BYTES_PER_THREAD * n_threads
    if not has_room(least):
        raise OutOfMemory(
            f"there is not enough memory {what}",
            expected=f"at least {least // 2**20} MB of memory more, mapped and not only used, for {n_threads} threads",
            fix="raise the limit (`ulimit -v` shows it in kB), or set OMP_NUM_THREADS=1",
        )


def can_be_refused() -> bool:
    """Whether this process can be refused memory that the machine has: a limit holds, or Linux never promises too much.

    Elsewhere than on Linux the answer is True, for nothing says otherwise.
    """
    if not sys.platform.startswith("linux"):
        return True
    import resource

    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    if any(limit != resource.RLIM_INFINITY for limit in limits):
        return True
    try:
        return _OVERCOMMIT.read_text().strip() == _NEVER_OVERCOMMITS
    except OSError:
        return True
