"""The members of a .tar, read in place. Python's `tarfile` reads the headers; what it lets pass is refused here."""

import tarfile
from array import array
from dataclasses import dataclass, field
from typing import final

from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.member_names import MAX_FILES, MAX_TOTAL_BYTES, checked, damaged, refused, too_much
from heldout.data.storage.random_access import RandomAccess
from heldout.errors import DataError

_MAX_HEADER_BYTES = 2**20  # long names and extended headers are a few kilobytes
_KINDS = (
    (tarfile.TarInfo.issym, "a symbolic link"),
    (tarfile.TarInfo.islnk, "a hard link"),
    (tarfile.TarInfo.ischr, "a character device"),
    (tarfile.TarInfo.isblk, "a block device"),
    (tarfile.TarInfo.isfifo, "a named pipe"),
    (tarfile.TarInfo.issparse, "a sparse file"),
)


@dataclass(frozen=True, slots=True)
class TarMembers:
    """Where the bytes of each file lie, a column a field."""

    file: RandomAccess
    archive: str
    names: list[str] = field(default_factory=list)
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    sizes: "array[int]" = field(default_factory=lambda: array("Q"))

    def size(self, row: int) -> int:
        """The bytes of a member."""
        return self.sizes[row]

    def read(self, row: int) -> bytes:
        """The bytes of a member.

        Raises:
            UnreadablePicture: They are no longer all there.
            DataError: The archive cannot be read.
        """
        data = self.file.read_at(self.starts[row], self.sizes[row])
        if len(data) < self.sizes[row]:
            raise UnreadablePicture("damaged in the archive: the file ends inside it")
        return data


@final
class _Headers:
    """What `tarfile` reads: one header after the other, in blocks, never much at once."""

    def __init__(self, file: RandomAccess, archive: str) -> None:
        self._file = file
        self._archive = archive
        self._at = 0
        self._block = b""
        self._block_at = 0
        self.last = b""

    def read(self, n_bytes: int) -> bytes:
        if n_bytes > _MAX_HEADER_BYTES:
            limit = f"at most {_MAX_HEADER_BYTES:,}"
            raise too_much(self._archive, f"has a header of {n_bytes:,} bytes", limit)
        begin = self._at - self._block_at
        if not 0 <= begin <= len(self._block) - n_bytes:
            self._block = self._file.read_at(self._at, max(n_bytes, self._file.block))
            self._block_at, begin = self._at, 0
        self.last = self._block[begin : begin + n_bytes]
        self._at += len(self.last)
        return self.last

    def seek(self, place: int) -> int:
        self._at = place
        return place

    def tell(self) -> int:
        return self._at


def read_tar(file: RandomAccess, archive: str) -> TarMembers:
    """The members of a .tar, from its headers; folders end in "/".

    Args:
        file: The archive, inflated if it was compressed.
        archive: Its name, for errors.

    Raises:
        DataError: It is no whole .tar, is beyond a limit, or has an entry that is refused.
    """
    members = TarMembers(file, archive)
    headers = _Headers(file, archive)
    try:
        # Old formats say nothing of the encoding; bytes that are no UTF-8 are kept as they are.
        with tarfile.open(fileobj=headers, mode="r:", encoding="utf-8", errors="surrogateescape") as tar:  # type: ignore[call-overload]
            while (member := tar.next()) is not None:
                _add(members, member)
                tar.members.clear()  # it would keep a kilobyte of each
    except DataError:
        raise
    except (tarfile.TarError, EOFError, ValueError, OverflowError, LookupError) as error:
        raise damaged(archive, f"it is cut short or no .tar ({error})") from error
    # tarfile ends without a word at whatever is no header, which a torn file would turn into a smaller data set.
    if headers.last != bytes(tarfile.BLOCKSIZE):
        raise damaged(archive, f"there is no header and no end mark after {len(members.names):,} members")
    return members


def _add(members: TarMembers, member: tarfile.TarInfo) -> None:
    archive = members.archive
    for is_kind, words in _KINDS:
        if is_kind(member):
            raise refused(archive, member.name, words)
    if not (member.isreg() or member.isdir()):
        raise refused(archive, member.name, "neither a file nor a folder")
    if member.isreg() and member.mode & 0o6000:
        raise refused(archive, member.name, "a file that runs with another user's rights (setuid)")
    name = checked(member.name + "/" if member.isdir() else member.name, archive)
    if not name:
        return
    if member.isreg() and name.endswith("/"):
        raise refused(archive, member.name, "a file whose name ends like a folder's")
    members.names.append(name)
    members.starts.append(member.offset_data)
    members.sizes.append(member.size if member.isreg() else 0)
    if len(members.names) > MAX_FILES:
        raise too_much(archive, f"has more than {MAX_FILES:,} entries", f"at most {MAX_FILES:,} entries")
    if member.offset_data + member.size > MAX_TOTAL_BYTES:
        raise too_much(archive, f"holds more than {MAX_TOTAL_BYTES:,} bytes", f"at most {MAX_TOTAL_BYTES:,}")
