"""Where the bytes of a data set are: a folder, an archive, or a place that is reached over a network.

Everything above asks a `Source` and never a path, so the layouts and the look are the same for all three. Names are
those of `Examples.ids`: relative, with "/". Reading is safe from several threads; a source is never written to.
"""

import os
import stat
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, final

from heldout.data.examples import PassedOver
from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.walking import Contents, leads_back, look_into, printable, reading, why_no_file
from heldout.errors import is_want_of_memory

# A picture file of 50 megapixels is rarely over 100 MB; what is larger is no photo (assumed).
MAX_FILE_BYTES = 512 * 2**20


class Source(Protocol):
    """Pictures, and what stands beside them."""

    @property
    def name(self) -> str:
        """How messages call it. It holds no password."""

    def path_of(self, name: str) -> str:
        """How messages call something inside."""

    def look_into(self, prefix: str = "") -> Contents:
        """What stands in one folder, by kind.

        Args:
            prefix: "" for the top, or the folder's name with "/" at its end.

        Raises:
            DataError: It cannot be read, or has a name that no record can hold.
        """

    def why_no_file(self, name: str) -> str:
        """Why there is no regular file of that name, or an empty string if there is one."""

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            UnreadablePicture: This file cannot be read: absent, no regular file, too large, damaged, not permitted.
            DataError: Nothing can be read any more, or nothing should be: the network is gone, the archive lies.
        """

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to be read from its beginning, such as a listing, which may be larger than memory.

        Raises:
            DataError: It cannot be read.
        """


@final
@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of this machine. Names may lead out of it: a listing may name pictures that lie elsewhere.

    Attributes:
        root: The folder; where it is empty, names are paths.
    """

    root: Path

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self.root)

    def path_of(self, name: str) -> str:
        """The path."""
        # Several times faster than a Path, which counts for 100,000 names.
        return os.path.join(self.root, name)  # noqa: PTH118

    def look_into(self, prefix: str = "") -> Contents:
        """What stands in one folder; links that lead back to the root or above it are told apart."""
        contents = look_into(self.path_of(prefix), prefix)
        back = [name for name in contents.linked_folders if leads_back(self.root / prefix / name, self.root)]
        contents.linked_folders = [name for name in contents.linked_folders if name not in back]
        contents.links_back = back
        return contents

    def why_no_file(self, name: str) -> str:
        """As `walking.why_no_file`."""
        return why_no_file(self.path_of(name))

    def read(self, name: str) -> bytes:
        """The bytes of a regular file."""
        try:
            # Without O_NONBLOCK a named pipe would block for ever.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            handle = os.open(self.path_of(name), flags)
            try:
                return _content(handle)
            finally:
                os.close(handle)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            if is_want_of_memory(error):
                raise MemoryError(f"no memory to open {name}") from error
            raise UnreadablePicture(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """An open file."""
        path = Path(self.path_of(name))
        with reading(path):
            return path.open("rb")


def _content(handle: int) -> bytes:
    """Everything in a regular file of bearable size."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadablePicture("not a regular file")
    check_size(found.st_size)
    # Opened after the checks alone, for `open` refuses the handle of a folder and leaves it to the caller.
    with os.fdopen(handle, "rb", closefd=False) as file:
        return file.read(found.st_size)  # of a file that grows meanwhile, what was there


def check_size(n_bytes: int) -> None:
    """Refuse a file that is too large to be a picture, before it is read.

    Raises:
        UnreadablePicture: It is.
    """
    if n_bytes > MAX_FILE_BYTES:
        raise UnreadablePicture(f"{n_bytes:,} bytes, more than the limit of {MAX_FILE_BYTES:,}")


def pictures_below(source: Source, prefix: str = "") -> tuple[list[str], list[PassedOver]]:
    """The names of all pictures in a folder and the folders inside it, and what was passed over.

    Links to folders are passed over: a link that leads to a folder above would never end.

    Args:
        source: Where to look.
        prefix: "" for all of it, or a folder's name with "/" at its end.

    Raises:
        DataError: A folder cannot be read, or a picture's or a folder's name is not valid UTF-8.
    """
    found: list[str] = []
    passed_over: list[PassedOver] = []
    pending = [prefix]
    while pending:
        prefix = pending.pop()
        contents = source.look_into(prefix)
        found += [prefix + name for name in contents.pictures]
        passed_over += contents.passed_over
        passed_over += [PassedOver(printable(prefix + name), "no picture suffix") for name in contents.others]
        links = contents.linked_folders + contents.links_back
        passed_over += [PassedOver(prefix + name, "a link to a folder inside a class folder") for name in links]
        pending += [f"{prefix}{name}/" for name in contents.folders]
    return found, passed_over
