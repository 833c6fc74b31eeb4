"""One pass over picture files: every one opened, decoded and judged, in threads, in order.

Memory is bounded by the pictures in flight (a few a thread), whatever the number of files.
"""

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from heldout.data.decoding import PictureFacts, UnreadablePicture
from heldout.errors import Unreadable
from heldout.provenance import n_cores

Result = TypeVar("Result")

# A picture file of 50 megapixels is rarely over 100 MB; what is larger is no photo (assumed).
MAX_FILE_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class Survey:
    """What a pass over all examples found.

    Attributes:
        facts: One an example, in the order of the examples; None where the file is unreadable.
        unreadable: The unreadable ones, by id and reason.
    """

    facts: tuple[PictureFacts | None, ...]
    unreadable: tuple[Unreadable, ...]


def n_decoding_threads() -> int:
    """How many threads decode: the processors that this process may use."""
    return n_cores()


def read_file(path: Path) -> tuple[bytes, str]:
    """The bytes of a regular file and their SHA-256, hexadecimal.

    Raises:
        UnreadablePicture: Absent, not a regular file (a pipe would block for ever), too large, or not permitted.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            data = _content(handle)
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UnreadablePicture(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    return data, hashlib.sha256(data).hexdigest()


def _content(handle: int) -> bytes:
    """Everything in a regular file of bearable size."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadablePicture("not a regular file")
    if found.st_size > MAX_FILE_BYTES:
        raise UnreadablePicture(f"{found.st_size:,} bytes, more than the limit of {MAX_FILE_BYTES:,}")
    # Opened after the checks alone, for `open` refuses the handle of a folder and leaves it to the caller.
    with os.fdopen(handle, "rb", closefd=False) as file:
        return file.read(MAX_FILE_BYTES + 1)


def in_order(job: Callable[[int], Result], n_jobs: int, *, n_threads: int) -> Iterator[Result]:
    """`job(0)`, `job(1)`, ... computed in threads and given out in order.

    At most four jobs a thread are begun and not yet given out. An error in a job is raised here, in its turn; the jobs
    that have not begun are then left undone.
    """
    with ThreadPoolExecutor(n_threads, thread_name_prefix="heldout-decode") as pool:
        flying: deque[Future[Result]] = deque()
        try:
            for index in range(n_jobs):
                flying.append(pool.submit(job, index))
                if len(flying) >= 4 * n_threads:
                    yield flying.popleft().result()
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()
