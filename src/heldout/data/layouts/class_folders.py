"""One folder a class, or train/, val/ and test/ of such folders -> Examples.

All pictures inside a class folder belong to the class, at any depth. A class keeps its place in the class
map when one part has no picture of it; a class folder without a picture in any part is passed over.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from heldout.data.examples import PARTS, Examples, PassedOver, Row, gather
from heldout.data.layouts.listing_files import PARQUET_SUFFIXES, TABLE_SUFFIXES
from heldout.data.storage.sources import Source, pictures_below
from heldout.data.storage.walking import Contents, printable
from heldout.errors import DataError


@dataclass(slots=True)
class _Found:
    """What the class folders read so far hold."""

    rows: list[Row] = field(default_factory=list)
    empty: list[tuple[str, str]] = field(default_factory=list)  # name below the root, class
    passed_over: list[PassedOver] = field(default_factory=list)


def look_for_classes(source: Source, prefix: str = "") -> Contents:
    """The contents of a folder of class folders; links to folders count as folders unless they lead back.

    Args:
        source: The data.
        prefix: "" for its top, or a part folder's name with "/" at its end.
    """
    contents = source.look_into(prefix)
    contents.folders += contents.linked_folders
    reason = "a link that leads back to the folder it lies in"
    contents.passed_over += [PassedOver(prefix + name, reason) for name in contents.links_back]
    contents.passed_over += [PassedOver(printable(prefix + name), "no picture suffix") for name in contents.others]
    contents.passed_over += [PassedOver(prefix + name, "outside of any class folder") for name in contents.pictures]
    return contents


def read_class_folders(source: Source, contents: Contents) -> Examples:
    """The examples of a folder of class folders, without any part.

    Raises:
        DataError: There is no picture inside the folders, or only one class.
    """
    found = _Found(passed_over=list(contents.passed_over))
    _add_classes(found, source, "", -1, contents)
    if not found.rows:
        raise _no_pictures(source, contents)
    return _finish(source, found, "class folders")


def read_split_folders(source: Source, contents: Contents, parts: dict[int, str]) -> Examples:
    """The examples of the part folders, each a folder of class folders.

    Args:
        source: Holds the part folders.
        contents: What else it holds.
        parts: Index into `PARTS` -> name of the folder; the training part must be there.

    Raises:
        DataError: A part has pictures outside of class folders only, train/ has none at all, or there is
            only one class.
    """
    found = _Found(passed_over=list(contents.passed_over))
    for part, name in sorted(parts.items()):
        inside = look_for_classes(source, f"{name}/")
        found.passed_over += inside.passed_over
        n_before = len(found.rows)
        _add_classes(found, source, f"{name}/", part, inside)
        if len(found.rows) > n_before:
            continue
        if part == 0 or inside.pictures:
            raise _unlabelled_part(source, name, inside, parts[0])
        found.passed_over.append(PassedOver(name, f"a {PARTS[part]} folder without pictures"))
    return _finish(source, found, "split folders")


def _add_classes(found: _Found, source: Source, prefix: str, part: int, contents: Contents) -> None:
    for name in contents.folders:
        ids, passed_over = pictures_below(source, f"{prefix}{name}/")
        found.passed_over += passed_over
        found.rows += [(id_, name, part) for id_ in ids]
        if not ids:
            found.empty.append((prefix + name, name))


def _finish(source: Source, found: _Found, layout: str) -> Examples:
    classes = {row[1] for row in found.rows}
    empty = [PassedOver(path, "a class folder without pictures") for path, name in found.empty if name not in classes]
    return gather(source, found.rows, layout=layout, passed_over=found.passed_over + empty)


def _no_pictures(source: Source, contents: Contents) -> DataError:
    n_files = len(contents.others)
    expected = "one folder of pictures (JPEG, PNG, WebP, GIF, BMP, TIFF) for each class"
    # A folder of flat pictures often has its labels in a table beside them.
    suffixes = TABLE_SUFFIXES | PARQUET_SUFFIXES
    tables = sorted(name for name in contents.others if PurePosixPath(name).suffix.lower() in suffixes)
    if contents.pictures:
        return DataError(
            f"{source.name!r} holds {len(contents.pictures):,} pictures outside of class folders and none inside, "
            "so nothing says which class they are",
            expected=expected + ", or a listing of pictures and labels",
            fix=f"pass the listing itself: {source.path_of(tables[0])!r}"
            if tables
            else "sort the pictures into one folder a class, or write a CSV with the columns path,label",
        )
    if not (contents.folders or contents.passed_over):
        return DataError(f"{source.name!r} is empty", expected=expected, fix="check the path, or add the pictures")
    return DataError(
        f"{source.name!r} holds {len(contents.folders):,} folders and {n_files:,} other files, but no picture",
        expected=expected,
        fix="check the path; files that are pictures need a suffix that says so, such as .jpg",
    )


def _unlabelled_part(source: Source, name: str, inside: Contents, train: str) -> DataError:
    alone = f", or pass {source.path_of(train)!r} alone and heldout makes the other parts from it"
    return DataError(
        f"{source.path_of(name)!r} holds {len(inside.folders):,} class folders without pictures and "
        f"{len(inside.pictures):,} pictures outside of class folders",
        expected=f"one folder of pictures for each class inside {name}/",
        fix=f"sort the pictures of {name}/ into class folders" + ("" if name == train else alone),
    )
