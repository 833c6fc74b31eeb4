"""One pass over picture files: every one opened, decoded and judged, in threads, in order.

Memory is bounded by the pictures in flight (a few a thread), whatever the number of files.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from heldout.data.pictures.decoding import PictureFacts
from heldout.data.storage.sources import Source
from heldout.errors import Unreadable
from heldout.provenance import n_cores

Result = TypeVar("Result")


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


def read_file(source: Source, name: str) -> tuple[bytes, str]:
    """The bytes of a file and their SHA-256, hexadecimal.

    Raises:
        UnreadablePicture: This file cannot be read.
        DataError: Nothing can be read from the source any more.
    """
    data = source.read(name)
    return data, hashlib.sha256(data).hexdigest()


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
