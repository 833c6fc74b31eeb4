"""Memory that is freed stays with the process, instead of going back to the system and coming again as page faults.

A training step allocates and frees gigabytes of activations. By default glibc maps and unmaps each large one, and the
kernel clears every page again.
"""

import ctypes
import sys

from heldout.memory_limits import can_be_refused

# Names and numbers of glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
# Allocations under 1 GiB come from the heap, which grows by 256 MiB and never shrinks. Measured in 2026-11: up to 2.4
# times the speed in eager torch on a processor with AMX; benchmarks/training_step.py tells for this machine.
_SETTINGS = {_M_MMAP_THRESHOLD: 2**30, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 2**28}


def keep_freed_memory() -> bool:
    """True if this process now keeps freed memory; call it before torch is imported.

    Only glibc (Linux) knows how; elsewhere nothing is done and the answer is False. So it is where memory is limited:
    there a heap that grows by 256 MiB takes what libraries need that end the process without it. The settings hold for
    the whole process and cannot be taken back, so this is for a command line, not for a library inside somebody's
    program.

    Example:
        >>> keep_freed_memory() in (True, False)
        True
    """
    if not sys.platform.startswith("linux") or can_be_refused():
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):  # musl has no mallopt
        return False
    return all(library.mallopt(setting, value) == 1 for setting, value in _SETTINGS.items())


def give_back_freed_memory() -> None:
    """Give the system what this process has freed and kept; does nothing where the C library is not glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
