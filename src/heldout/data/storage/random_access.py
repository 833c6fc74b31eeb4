"""A file that threads may read anywhere at once: what archives are read from, be it on a disk or far away."""

import os
import stat
import weakref
from pathlib import Path
from typing import Protocol, final

from heldout.data.storage.walking import reading
from heldout.errors import DataError


class RandomAccess(Protocol):
    """Bytes of known length that are read by position; reading is safe from several threads."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    @property
    def block(self) -> int:
        """How many bytes to ask for at once when reading on, so that each question is worth its cost."""

    def read_at(self, start: int, n_bytes: int) -> bytes:
        """The bytes from `start`, fewer than `n_bytes` at the end alone.

        Raises:
            DataError: They cannot be read.
        """


@final
class LocalFile:
    """A file of this machine; it stays open, and the same, until nobody needs it any more.

    Args:
        path: A regular file.

    Raises:
        DataError: It cannot be read, or is no regular file.
    """

    block = 2**16

    def __init__(self, path: Path) -> None:
        self._path = path
        with reading(path):
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        weakref.finalize(self, os.close, handle)
        self._handle = handle
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{str(path)!r} is no regular file", expected="an archive", fix="check the path")
        self.size = found.st_size

    def read_at(self, start: int, n_bytes: int) -> bytes:
        """The bytes from `start`."""
        with reading(self._path):
            data = os.pread(self._handle, n_bytes, start)
            while 0 < len(data) < n_bytes and (more := os.pread(self._handle, n_bytes - len(data), start + len(data))):
                data += more
        return data
