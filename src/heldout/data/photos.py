"""A folder of photos, or a listing of them -> Examples.

Four layouts are known, and looked for in this order:

1. a file: a listing (`listings.py`);
2. a folder with `trainfile.txt` (and `valfile.txt`, `testfile.txt`): one listing a part;
3. a folder with `imagelabels.mat` and `setid.mat`: the official Flowers-102 (`flowers102.py`);
4. a folder with `train/` (and `val/`, `test/`) of class folders, or class folders alone (`class_folders.py`).

A class folder or a part folder may be a link to a folder elsewhere; further inside, links to folders are
passed over. Links to files are followed wherever they lead.
"""

import re
import stat
from collections.abc import Iterable
from pathlib import Path

from heldout.data.class_folders import look_for_classes, read_class_folders, read_split_folders
from heldout.data.examples import PART_NAMES, PARTS, Examples, PassedOver, some_of
from heldout.data.flowers102 import LABELS_FILE, PARTS_FILE, read_flowers102
from heldout.data.listings import read_listing, read_part_listings
from heldout.data.walking import Contents, look_into, reading
from heldout.errors import DataError, nearest

_LAYOUTS = (
    "a folder with one folder of pictures for each class, or train/ (and val/, test/) of such folders, "
    "or a listing of pictures and labels (.csv, .tsv, .parquet, .txt)"
)


def find_photos(source: Path) -> Examples:
    """The labelled pictures at `source`, whichever of the four layouts it has.

    No picture is opened. The result does not depend on the order in which the file system answers. Class
    names are strings and sorted as strings, numbers too: "1", "10", "2".

    Args:
        source: A folder, or a listing file.

    Raises:
        DataError: There is nothing at `source` that can be used as it is; says what to change.
    """
    source = Path(source).absolute()
    mode = _mode_of(source)
    if stat.S_ISDIR(mode):
        return _read_folder(source)
    if stat.S_ISREG(mode):
        return read_listing(source)
    raise DataError(f"{str(source)!r} is neither a folder nor a file", expected=_LAYOUTS, fix="check the path")


def _mode_of(source: Path) -> int:
    if re.search(r"/[A-Za-z][A-Za-z0-9+.-]+:/", str(source)):
        raise DataError(
            f"{str(source)!r} looks like an address",
            expected="a folder or a listing on this machine: heldout fetches nothing by itself",
            fix="download the pictures first, then pass their folder",
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


def _read_folder(root: Path) -> Examples:
    others = look_into(root).others
    files = _by_part(root, ((name.lower().removesuffix("file.txt"), name) for name in others if _is_listing(name)))
    if files:
        return read_part_listings(root, files)
    if {LABELS_FILE, PARTS_FILE} & set(others):
        return read_flowers102(root)
    contents = look_for_classes(root, root)
    parts = _part_folders(root, contents)
    return read_split_folders(root, contents, parts) if parts else read_class_folders(root, contents)


def _is_listing(name: str) -> bool:
    return name.lower() in {f"{part}file.txt" for part in PART_NAMES}


def _by_part(root: Path, names: Iterable[tuple[str, str]]) -> dict[int, str]:
    """Index into PARTS -> name, from pairs (word for the part, name)."""
    found: dict[int, str] = {}
    for word, name in sorted(names):
        part = PART_NAMES[word]
        if part in found:
            raise DataError(
                f"{str(root)!r} holds {found[part]!r} and {name!r}, two names for the {PARTS[part]} part",
                expected="one of each part: train, val (or valid, validation), test",
                fix="remove, rename or merge one of the two",
            )
        found[part] = name
    return found


def _part_folders(root: Path, contents: Contents) -> dict[int, str]:
    """Index into PARTS -> folder name; empty where the folders are classes.

    Folders beside the parts are passed over, which `contents` notes.
    """
    parts = _by_part(root, ((name.lower(), name) for name in contents.folders if name.lower() in PART_NAMES))
    others = sorted(set(contents.folders) - set(parts.values()))
    if parts and 0 not in parts:
        raise DataError(
            f"{str(root)!r} holds {some_of(sorted(parts.values()))} but no 'train'"
            + (f"; beside it stand {some_of(others)}" if others else ""),
            expected="train/ of class folders beside val/ and test/, or class folders alone",
            fix="add train/, or rename the folder if it is a class",
        )
    if others and list(parts) == [0]:
        return _class_called_train(root, parts[0], others)
    if parts:
        reason = f"a folder beside {parts[0]}/ that is none of the parts"
        contents.passed_over += [PassedOver(name, reason) for name in others]
    return parts


def _class_called_train(root: Path, name: str, others: list[str]) -> dict[int, str]:
    """No parts if the folder holds pictures alone, as the class `train` beside `bus` and `car` would.

    Raises:
        DataError: It has folders inside, so that it could be either.
    """
    inside = look_into(root / name)
    if not (inside.folders or inside.linked_folders):
        return {}
    raise DataError(
        f"{str(root)!r} holds {name!r}, which has folders inside, beside {some_of(others)}: "
        "is it the training part or a class?",
        expected="train/ with val/ or test/ beside it, or class folders alone",
        fix=f"pass {str(root / name)!r} alone, or rename that folder if it is a class",
    )
