"""A folder of photos, an archive of them, or a listing -> Examples, here or at an address.

Four layouts are known, and looked for in this order:

1. a file: a listing (`listings.py`);
2. a folder with `trainfile.txt` (and `valfile.txt`, `testfile.txt`): one listing a part;
3. a folder with `imagelabels.mat` and `setid.mat`: the official Flowers-102 (`flowers102.py`);
4. a folder with `train/` (and `val/`, `test/`) of class folders, or class folders alone (`class_folders.py`).

An archive (`archives.py`) is a folder, and so is what lies behind an address such as s3://bucket/photos (`remote.py`).

A class folder or a part folder may be a link to a folder elsewhere; further inside, links to folders are
passed over. Links to files are followed wherever they lead.
"""

import re
import stat
from collections.abc import Iterable
from pathlib import Path

from heldout.data.examples import PART_NAMES, PARTS, Examples, PassedOver, some_of
from heldout.data.groups import with_groups
from heldout.data.layouts.class_folders import look_for_classes, read_class_folders, read_split_folders
from heldout.data.layouts.flowers102 import LABELS_FILE, PARTS_FILE, read_flowers102
from heldout.data.layouts.listings import read_listing, read_part_listings
from heldout.data.storage.archives import is_archive, open_archive
from heldout.data.storage.random_access import LocalFile
from heldout.data.storage.remote import RemoteFile, RemoteSource, local_path, open_address
from heldout.data.storage.sources import FolderSource, Source
from heldout.data.storage.walking import Contents, reading
from heldout.errors import DataError, nearest

_LAYOUTS = (
    "a folder with one folder of pictures for each class, or train/ (and val/, test/) of such folders, "
    "or a listing of pictures and labels (.csv, .tsv, .parquet, .txt), or an archive of them (.zip, .tar, .tar.gz)"
)


def find_photos(data: str | Path, group_by: str = "") -> Examples:
    """The labelled pictures of `data`, whichever of the four layouts it has.

    No picture is opened. The result does not depend on the order in which the file system answers. Class
    names are strings and sorted as strings, numbers too: "1", "10", "2".

    Args:
        data: A folder, an archive or a listing: its path, or its address.
        group_by: A column of the listing, or a regular expression on the ids, that names what must not be parted;
            see `groups.py`. Empty for none.

    Raises:
        DataError: There is nothing at `data` that can be used as it is; says what to change.
        UsageError: `group_by` is no regular expression.
    """
    source, name = open_data(data)
    return with_groups(read_listing(source, name, group_by) if name else _read_folder(source), group_by)


def open_data(data: str | Path) -> tuple[Source, str]:
    """The source that `data` is, with an empty name; or the source that a file lies in, and its name there.

    Raises:
        DataError: There is nothing at `data`, or an archive that is refused.
    """
    path = local_path(data)
    return _open_remote(str(data)) if path is None else _open_local(path.absolute())


def _open_local(path: Path) -> tuple[Source, str]:
    mode = _mode_of(path)
    if stat.S_ISDIR(mode):
        return FolderSource(path), ""
    if not stat.S_ISREG(mode):
        raise DataError(f"{str(path)!r} is neither a folder nor a file", expected=_LAYOUTS, fix="check the path")
    if is_archive(path.name):
        return open_archive(LocalFile(path), str(path)), ""
    return FolderSource(path.parent), path.name


def _open_remote(address: str) -> tuple[Source, str]:
    place = open_address(address)
    kind = place.kind()
    if kind == "folder":
        return RemoteSource(place), ""
    if not kind:
        raise DataError(
            f"{place.shown!r} does not exist", expected=_LAYOUTS, fix="check the spelling, or what the service lists"
        )
    if is_archive(place.path):
        return open_archive(RemoteFile(place), place.shown), ""
    return RemoteSource(place.parent()), place.path.rpartition("/")[2]


def _mode_of(source: Path) -> int:
    if re.search(r"/[A-Za-z][A-Za-z0-9+.-]+:/", str(source)):
        raise DataError(
            f"{str(source)!r} looks like an address that was made a path",
            expected="an address as a text, or a path",
            fix="pass it as a str, not as a Path",
        )
    with reading(source):
        try:
            return source.stat().st_mode
        except FileNotFoundError:
            beside = [path.name for path in source.parent.iterdir()] if source.parent.is_dir() else []
    raise DataError(
        f"{str(source)!r} does not exist{nearest(source.name, beside)}",
        expected=_LAYOUTS,
        fix="check the spelling and the folder you are in",
    )


def _read_folder(source: Source) -> Examples:
    others = source.look_into().others
    files = _by_part(source, ((name.lower().removesuffix("file.txt"), name) for name in others if _is_listing(name)))
    if files:
        return read_part_listings(source, files)
    if {LABELS_FILE, PARTS_FILE} & set(others):
        return read_flowers102(source)
    contents = look_for_classes(source)
    parts = _part_folders(source, contents)
    return read_split_folders(source, contents, parts) if parts else read_class_folders(source, contents)


def _is_listing(name: str) -> bool:
    return name.lower() in {f"{part}file.txt" for part in PART_NAMES}


def _by_part(source: Source, names: Iterable[tuple[str, str]]) -> dict[int, str]:
    """Index into PARTS -> name, from pairs (word for the part, name)."""
    found: dict[int, str] = {}
    for word, name in sorted(names):
        part = PART_NAMES[word]
        if part in found:
            raise DataError(
                f"{source.name!r} holds {found[part]!r} and {name!r}, two names for the {PARTS[part]} part",
                expected="one of each part: train, val (or valid, validation), test",
                fix="remove, rename or merge one of the two",
            )
        found[part] = name
    return found


def _part_folders(source: Source, contents: Contents) -> dict[int, str]:
    """Index into PARTS -> folder name; empty where the folders are classes.

    Folders beside the parts are passed over, which `contents` notes.
    """
    parts = _by_part(source, ((name.lower(), name) for name in contents.folders if name.lower() in PART_NAMES))
    others = sorted(set(contents.folders) - set(parts.values()))
    if parts and 0 not in parts:
        raise DataError(
            f"{source.name!r} holds {some_of(sorted(parts.values()))} but no 'train'"
            + (f"; beside it stand {some_of(others)}" if others else ""),
            expected="train/ of class folders beside val/ and test/, or class folders alone",
            fix="add train/, or rename the folder if it is a class",
        )
    if others and list(parts) == [0]:
        return _class_called_train(source, parts[0], others)
    if parts:
        reason = f"a folder beside {parts[0]}/ that is none of the parts"
        contents.passed_over += [PassedOver(name, reason) for name in others]
    return parts


def _class_called_train(source: Source, name: str, others: list[str]) -> dict[int, str]:
    """No parts if the folder holds pictures alone, as the class `train` beside `bus` and `car` would.

    Raises:
        DataError: It has folders inside, so that it could be either.
    """
    inside = source.look_into(f"{name}/")
    if not (inside.folders or inside.linked_folders or inside.links_back):
        return {}
    raise DataError(
        f"{source.name!r} holds {name!r}, which has folders inside, beside {some_of(others)}: "
        "is it the training part or a class?",
        expected="train/ with val/ or test/ beside it, or class folders alone",
        fix=f"pass {source.path_of(name)!r} alone, or rename that folder if it is a class",
    )
