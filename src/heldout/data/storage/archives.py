"""A .zip, .tar or .tar.gz as a `Source`, read in place: nothing is unpacked, on a disk or in memory.

What an archive may hold, and how much, stands in `member_names.py`. Archives inside the archive are no pictures and
are passed over like any other file.
"""

import io
from array import array
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol, final

from heldout.data.examples import PART_NAMES
from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.inflating import InflatedFile
from heldout.data.storage.member_names import Names, in_order
from heldout.data.storage.random_access import RandomAccess
from heldout.data.storage.sources import check_size
from heldout.data.storage.tar_files import TarMembers, read_tar
from heldout.data.storage.walking import Contents
from heldout.data.storage.zip_files import read_zip
from heldout.errors import DataError

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")


class Members(Protocol):
    """The files of an archive, by number."""

    @property
    def names(self) -> list[str]:
        """As they stand in the archive; folders end in "/"."""

    def size(self, row: int) -> int:
        """The bytes that a member claims to have."""

    def read(self, row: int) -> bytes:
        """The bytes of a member, as `Source.read` gives them."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class ArchiveSource:
    """The content of an archive.

    Attributes:
        archive: How messages call it.
        members: Read its files.
        names: The names of the members in order.
        rows: For each of those, its number in `members`.
        top: The folder that counts as the top: "" or a path that ends in "/".
    """

    archive: str
    members: Members
    names: Names
    rows: "array[int]"
    top: str = ""

    @property
    def name(self) -> str:
        """The archive, and the folder inside it where that is not the top."""
        return f"{self.archive}/{self.top}".rstrip("/")

    def path_of(self, name: str) -> str:
        """The archive's name, "/", and the name inside."""
        return f"{self.name}/{name}"

    def look_into(self, prefix: str = "") -> Contents:
        """What stands in one folder."""
        return self.names.look_into(self.top + prefix, self.path_of(prefix), prefix)

    def why_no_file(self, name: str) -> str:
        """Why there is no file of that name, or an empty string if there is one."""
        return self.names.why_no_file(self.top + name)

    def read(self, name: str) -> bytes:
        """The bytes of a member, counted while it is inflated."""
        row = self.names.row(self.top + name)
        if row < 0:
            raise UnreadablePicture("not in the archive")
        check_size(self.members.size(self.rows[row]))
        return self.members.read(self.rows[row])

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a member as a file."""
        try:
            return io.BytesIO(self.read(name))
        except UnreadablePicture as error:
            raise DataError(
                f"cannot read {self.path_of(name)!r}: {error}",
                expected="a whole file in a whole archive",
                fix="pack or download the archive again",
            ) from error


def is_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive which is read in place.

    Example:
        >>> is_archive("photos.tar.gz"), is_archive("photos.csv")
        (True, False)
    """
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def open_archive(file: RandomAccess, archive: str) -> ArchiveSource:
    """An archive as a source. If all it holds is one folder, as most archives do, that folder counts as its top.

    Args:
        file: Its bytes.
        archive: Its name, whose suffix says of what kind it is.

    Raises:
        DataError: It is not whole, is beyond a limit, or has an entry that is refused.
    """
    name = archive.lower()
    members: Members
    if name.endswith(".zip"):
        members = read_zip(file, archive)
    elif name.endswith(".tar"):
        members = read_tar(file, archive)
    else:
        members = _read_tar_gz(file, archive)
    order = in_order(members.names, archive)
    names = Names([members.names[row] for row in order])
    return _stepped_in(ArchiveSource(archive, members, names, array("L", order)))


def _read_tar_gz(file: RandomAccess, archive: str) -> TarMembers:
    inflated = InflatedFile(file, archive)
    members = read_tar(inflated, archive)
    inflated.finish()
    return members


def _stepped_in(source: ArchiveSource) -> ArchiveSource:
    """The same with the top at the folder that holds everything, as long as there is one with folders inside."""
    while True:
        contents = source.look_into()
        if contents.pictures or contents.others or len(contents.folders) != 1:
            return source
        (folder,) = contents.folders
        inside = source.look_into(f"{folder}/")
        # `train` alone is a part; and a folder of pictures alone is a class, which is then told to be the only one.
        if folder.lower() in PART_NAMES or not (inside.folders or inside.others):
            return source
        source = replace(source, top=f"{source.top}{folder}/")
