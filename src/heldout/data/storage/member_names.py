"""The names inside an archive, or below a remote folder: which are refused, and which folders and files they make.

An archive is refused as a whole for one bad name; nothing is repaired, for what is repaired by us may mean something
else to the next program. What is never refused: a leading "./", which `tar .` puts before every name, and whatever a
file name may hold on a disk (blanks, line ends, escape sequences).
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from heldout.data.examples import PassedOver, some_of
from heldout.data.storage.walking import Contents, check_names, printable, sort_file
from heldout.errors import DataError

# Design numbers, assumed: ten times the pictures of ImageNet's 1,281,167 would be read from many archives.
MAX_FILES = 2_000_000
MAX_TOTAL_BYTES = 2**40  # inflated; 2 million pictures of half a megabyte
MAX_RATIO = 100  # photos deflate to 0.9 and text to 0.1; what reaches 1:100 is empty or a bomb
FREE_BYTES = 2**20  # small files may be emptier than that
MAX_NAME_BYTES = 4096  # the longest path that Linux takes

_DRIVE = re.compile(r"[A-Za-z]:")
# The folder in which macOS keeps what other systems have no place for: no pictures, though some are called so.
_MACOS = "__MACOSX"


def checked(name: str, archive: str) -> str:
    """The name of a member as an id, "" for the archive's own top folder; folders end in "/".

    Args:
        name: As it stands in the archive.
        archive: Its name, for the error.

    Raises:
        DataError: A name that could lead out of the archive, or that two programs may read in two ways.

    Example:
        >>> checked("./cat/a.jpg", "x.tar"), checked("./", "x.tar")
        ('cat/a.jpg', '')
    """
    plain = name.removeprefix("./")
    if plain in {"", "."}:
        return ""
    parts = plain.removesuffix("/").split("/")
    if name.startswith("/"):
        raise refused(archive, name, "an absolute path")
    if ".." in parts:
        raise refused(archive, name, "which leads out of a folder by '..'")
    if "\\" in name:
        raise refused(archive, name, "which has a backslash, a separator on some systems and a letter on others")
    if _DRIVE.match(plain):
        raise refused(archive, name, "which begins with a drive letter")
    if "\0" in name or "" in parts or "." in parts:
        raise refused(archive, name, "which is no plain path: a NUL, an empty part or a '.' stands in it")
    if len(name) > MAX_NAME_BYTES:
        raise refused(archive, name[:80] + "...", f"whose name has more than {MAX_NAME_BYTES:,} characters")
    return plain


def refused(archive: str, name: str, why: str) -> DataError:
    """The error for an archive with one entry that cannot be accepted."""
    return DataError(
        f"{archive!r} is refused because of its entry {name!r}, {why}",
        expected="plain files and folders alone, with relative paths, each name once, not encrypted",
        fix="pack the pictures again; or unpack it where nothing can be harmed, look at it, and pass the folder",
    )


def too_much(archive: str, what: str, limit: str) -> DataError:
    """The error for an archive beyond one of the limits."""
    return DataError(
        f"{archive!r} {what}",
        expected=f"{limit} (the limits of an archive: {MAX_FILES:,} entries, {MAX_TOTAL_BYTES / 2**40:g} TiB "
        f"inflated, {MAX_RATIO} bytes for each compressed one beyond the first {FREE_BYTES / 2**20:g} MiB)",
        fix="unpack it, if you know where it comes from, and pass the folder",
    )


def damaged(archive: str, why: str) -> DataError:
    """The error for an archive that is not whole."""
    return DataError(
        f"{archive!r} cannot be read: {why}",
        expected="a whole archive",
        fix="copy or download it again; `unzip -t` or `tar -tf` test it",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Names in order, files and folders (which end in "/"), with what a folder's listing would say of them.

    Attributes:
        ordered: Sorted and unique. Folders need not be listed; files make them.
    """

    ordered: Sequence[str]

    def row(self, name: str) -> int:
        """Where the name stands in `ordered`, -1 where it does not."""
        row = bisect_left(self.ordered, name)
        return row if row < len(self.ordered) and self.ordered[row] == name else -1

    def why_no_file(self, name: str) -> str:
        """Why there is no file of that name, or an empty string if there is one."""
        if self.row(name) >= 0 and not name.endswith("/"):
            return ""
        return "a folder" if self._end_of(name + "/") > bisect_left(self.ordered, name + "/") else "not there"

    def look_into(self, folder: str, where: str, prefix: str) -> Contents:
        """What stands in a folder, by kind.

        Args:
            folder: "" or a path that ends in "/".
            where: The folder's name, for errors.
            prefix: What stands before its names in an id.

        Raises:
            DataError: A picture's or a folder's name is not valid UTF-8.
        """
        contents = Contents()
        row, end = bisect_left(self.ordered, folder), self._end_of(folder)
        while row < end:
            name, slash, _ = self.ordered[row][len(folder) :].partition("/")
            # "0" is the character after "/": one step over everything in the folder.
            row = bisect_left(self.ordered, f"{folder}{name}0", row + 1, end) if slash else row + 1
            if not name:
                continue
            if name.startswith(".") or (slash and name == _MACOS):
                reason = "the name begins with a dot" if name.startswith(".") else "what macOS keeps beside the files"
                contents.passed_over.append(PassedOver(printable(prefix + name), reason))
            elif slash:
                contents.folders.append(name)
            else:
                sort_file(name, contents)
        check_names(where, contents)
        return contents

    def _end_of(self, folder: str) -> int:
        """The row after the last name that begins with a folder's."""
        return bisect_left(self.ordered, folder[:-1] + "0") if folder else len(self.ordered)


def in_order(names: Sequence[str], archive: str) -> list[int]:
    """The rows of `names` in the order of the names.

    Raises:
        DataError: A name stands there twice, or is both a file's and a folder's.
    """
    order = sorted(range(len(names)), key=names.__getitem__)
    for one, other in pairwise(order):
        if names[one] == names[other] and not names[one].endswith("/"):
            raise refused(archive, names[one], "which stands there twice")
    folders = _folders(names)
    if both := sorted(name for name in names if name in folders):
        raise refused(archive, some_of(both, 1).strip("'"), "which is both a file and a folder")
    return order


def _folders(names: Iterable[str]) -> set[str]:
    """Every folder that some name lies in, without the "/" at the end."""
    found: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
