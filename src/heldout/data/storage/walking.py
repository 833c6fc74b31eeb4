"""What stands in a folder: folders, pictures, other files, and what is passed over, with the reason.

A file's kind is asked of the file system before anything is opened: a named pipe or a device never makes
a run hang. Links to regular files are followed wherever they lead. Nothing here depends on the order in
which the file system answers once `examples.gather` has sorted it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heldout.data.examples import PassedOver, some_of
from heldout.errors import DataError

PICTURE_SUFFIXES = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"})

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


@dataclass(slots=True)
class Contents:
    """One folder's entries by kind: names in the folder, except `passed_over` (names below the root).

    Only a folder of this machine has links.
    """

    folders: list[str] = field(default_factory=list)
    linked_folders: list[str] = field(default_factory=list)
    links_back: list[str] = field(default_factory=list)  # links to a folder that the link lies in
    pictures: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Turns what the file system refuses inside the block into a `DataError` that names the path."""
    try:
        yield
    except PermissionError as error:
        raise DataError(
            f"no permission to read {str(error.filename or path)!r}",
            expected="files and folders that this user may read",
            fix="change the permissions (chmod -R u+rX) or run as a user who may",
        ) from error
    except OSError as error:
        raise DataError(
            f"cannot read {str(error.filename or path)!r}: {error.strerror or error}",
            expected="files and folders that the system can read",
            fix="check the path and the disk, then try again",
        ) from error


def why_no_file(path: Path | str) -> str:
    """Why `path` is no regular file (links followed), or an empty string if it is one.

    Example:
        >>> why_no_file("/"), why_no_file("/no/such/file")
        ('a folder', 'not there')
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- several times faster than Path.stat on 100,000 files
    except ValueError:
        return "not a possible file name"
    except OSError as error:
        if os.path.islink(path):  # noqa: PTH114 -- unlike Path.is_symlink it never raises
            return f"a link that leads nowhere ({error.strerror})"
        return "not there" if isinstance(error, FileNotFoundError | NotADirectoryError) else str(error.strerror)
    if stat.S_ISREG(mode):
        return ""
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "no regular file")


def look_into(folder: Path | str, prefix: str = "") -> Contents:
    """The entries of one folder, by kind.

    Args:
        folder: Which folder.
        prefix: What stands before its names in an id: empty, or a path that ends in "/".

    Raises:
        DataError: The folder cannot be read, or a picture's or a folder's name is not valid UTF-8.
    """
    contents = Contents()
    with reading(folder), os.scandir(folder) as entries:
        for entry in entries:
            _sort_in(entry, contents, prefix)
    check_names(str(folder), contents)
    return contents


def leads_back(link: Path, root: Path) -> bool:
    """Whether a link to a folder leads to `root` or to a folder above it."""
    return root.resolve().is_relative_to(link.resolve())


def printable(name: str) -> str:
    r"""The name with bytes that are not valid UTF-8 shown as `\xff`, so that it can be written and printed.

    Example:
        >>> printable("a\udcff.txt")
        'a\\xff.txt'
    """
    return name if _is_utf8(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def _sort_in(entry: os.DirEntry[str], contents: Contents, prefix: str) -> None:
    name = entry.name
    if name.startswith("."):
        contents.passed_over.append(PassedOver(printable(prefix + name), "the name begins with a dot"))
    elif entry.is_dir(follow_symlinks=False):
        contents.folders.append(name)
    elif entry.is_file(follow_symlinks=False) or not (reason := why_no_file(entry.path)):
        sort_file(name, contents)
    elif reason == "a folder":
        contents.linked_folders.append(name)
    else:
        contents.passed_over.append(PassedOver(printable(prefix + name), reason))


def sort_file(name: str, contents: Contents) -> None:
    """Add a file to the pictures or to the others, by its suffix."""
    stem, _, suffix = name.rpartition(".")
    (contents.pictures if stem and suffix.lower() in PICTURE_SUFFIXES else contents.others).append(name)


def check_names(folder: str, contents: Contents) -> None:
    """Refuse a folder in which a picture or a folder has a name that no record can hold.

    Raises:
        DataError: Such a name is not valid UTF-8.
    """
    names = contents.pictures + contents.folders + contents.linked_folders
    bad = sorted(name for name in names if not _is_utf8(name))
    if bad:
        raise DataError(
            f"{len(bad):,} names in {folder!r} are not valid UTF-8: {some_of(bad)}",
            expected="names of pictures and folders in UTF-8, so that every record can hold them",
            fix="rename them, for example with convmv -f latin1 -t utf8 --notest",
        )


def _is_utf8(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
