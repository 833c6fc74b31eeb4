"""Whether this process would be refused memory, asked of the system instead of read from error messages.

Libraries of C tell want of memory in words of their own ("could not create decoder object", "broken data stream"), if
they tell it at all. A reservation of as much memory as they need says it for certain.
"""

import mmap
import os
import sys
from pathlib import Path

from heldout.errors import OutOfMemory

# Below it OpenBLAS, which numpy computes with, ends the process with a line of its own and exit code 1 where it is
# refused its buffer of 32 MiB, one a thread beside a stack of 8. Measured on 2026-11-23 with 2 threads, numpy 2.4 on
# Linux, on small data: so it went at limits from 350 to 600 MB, and not at 700.
_LEAST_BYTES, _BYTES_PER_THREAD = 570 * 2**20, 40 * 2**20
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
    called before numpy and pyarrow are imported.

    Raises:
        OutOfMemory: There is not.
    """
    if not can_be_refused():
        return
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    asked = os.environ.get("OMP_NUM_THREADS", "")
    n_threads = int(asked) if asked.isdecimal() else os.cpu_count() or 1
    least = _LEAST_BYTES + _BYTES_PER_THREAD * n_threads
    is_begun = "numpy" in sys.modules  # then what it needs was given already
    if not is_begun and not has_room(least):
        raise OutOfMemory(
            "there is not enough memory to begin with: this process is refused what every command needs",
            expected=f"at least {least // 2**20} MB of memory, mapped and not only used, for {n_threads} threads",
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
