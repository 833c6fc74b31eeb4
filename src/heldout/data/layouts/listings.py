"""A listing, a file that names pictures and their labels -> Examples.

Pictures are looked for relative to the listing's folder, then in `jpg/` inside it. They may lie elsewhere:
then `Examples.source` is the nearest folder that holds them all. A listing in an archive, or at an address, names
pictures beside it alone.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from heldout.data.examples import PARTS, Examples, PassedOver, Row, gather, some_of
from heldout.data.layouts.listing_files import Entry, read_entries
from heldout.data.storage.sources import FolderSource, Source
from heldout.errors import DataError

# For one picture, by its full path in the source: the label, the index into PARTS, the group.
_Said = dict[str, tuple[str, int, str | None]]


def read_listing(source: Source, name: str, group_by: str = "") -> Examples:
    """The examples of one listing, with parts where it has a column for them, and groups where it has that one.

    Args:
        source: Holds the listing.
        name: Of the listing, which lies at the top of the source.
        group_by: As for `listing_files.read_entries`.

    Raises:
        DataError: The file is no listing of a known kind, pictures are absent, or it contradicts itself.
    """
    return _examples(source, read_entries(source, name, group_by), source.path_of(name))


def read_part_listings(source: Source, files: dict[int, str]) -> Examples:
    """The examples of several listings in one folder, one a part.

    Args:
        source: The folder.
        files: Index into `PARTS` -> name of the listing.

    Raises:
        DataError: As `read_listing`, or there is no listing for training.
    """
    entries = (
        entry._replace(part=part) for part, name in sorted(files.items()) for entry in read_entries(source, name)
    )
    return _examples(source, entries, source.name)


def _examples(source: Source, entries: Iterable[Entry], listing: str) -> Examples:
    said: _Said = {}
    absent: list[str] = []
    twice: list[str] = []
    contradictions: list[str] = []
    n_entries = 0
    # In a folder of this machine pictures are told apart by their full paths, for they may lie outside of it.
    base = source.name if isinstance(source, FolderSource) else ""
    for picture, label, part, group in entries:
        n_entries += 1
        full, reason = _find(source, base, picture)
        before = said.get(full)
        if reason:
            absent.append(f"{picture} ({reason})")
        elif before is None:
            said[full] = (label, part, group)
        elif before == (label, part, group):
            twice.append(full)
        else:
            contradictions.append(f"{picture}: {_words(*before)} and {_words(label, part, group)}")
    _check_pictures(listing, n_entries, absent, contradictions)
    _check_training(listing, said)
    start = 0
    if isinstance(source, FolderSource):
        source = FolderSource(_root_of(source.root, said))
        start = len(source.name.rstrip("/")) + 1
    rows: list[Row] = [(full[start:], label, part) for full, (label, part, _) in said.items()]
    passed_over = [PassedOver(full[start:], "listed again with the same label") for full in twice]
    examples = gather(source, rows, layout="listing", passed_over=passed_over)
    group_of = {full[start:]: group for full, (_, _, group) in said.items() if group is not None}
    return replace(examples, groups=tuple(group_of[name] for name in examples.ids)) if group_of else examples


def _find(source: Source, base: str, picture: str) -> tuple[str, str]:
    """The path in the source, and why there is no picture: an empty string where there is."""
    # os.path.join is several times faster than a Path, which counts for 100,000 lines.
    full = os.path.normpath(os.path.join(base, picture))  # noqa: PTH118
    reason = source.why_no_file(full)
    if reason:
        in_jpg = os.path.normpath(os.path.join(base, "jpg", picture))  # noqa: PTH118
        if not source.why_no_file(in_jpg):
            return in_jpg, ""
    return full, reason


def _words(label: str, part: int, group: str | None) -> str:
    return f"{label!r}" + (f" in {PARTS[part]}" if part >= 0 else "") + (f" of group {group!r}" if group else "")


def _check_pictures(listing: str, n_entries: int, absent: Sequence[str], contradictions: Sequence[str]) -> None:
    if not n_entries:
        raise DataError(
            f"{listing!r} names no picture",
            expected="a line for every picture",
            fix="add lines of `picture label`",
        )
    if absent:
        raise DataError(
            f"{len(absent):,} of {n_entries:,} pictures that {listing!r} names are absent: {some_of(absent)}",
            expected="paths that start from the listing's folder, or from jpg/ inside it, or full paths",
            fix="put the pictures there, or mend the paths; if this is a table and no listing of pictures, name the "
            "column of its labels with --target",
        )
    if contradictions:
        raise DataError(
            f"{listing!r} names {len(contradictions):,} pictures again with another label, part or group: "
            f"{some_of(contradictions)}",
            expected="one label, one part and one group for each picture",
            fix="keep the right line of each and remove the others",
        )


def _check_training(listing: str, said: _Said) -> None:
    if all(part > 0 for _, part, _ in said.values()):
        parts = sorted({PARTS[part] for _, part, _ in said.values()})
        raise DataError(
            f"{listing!r} puts all {len(said):,} pictures into {' and '.join(parts)}, none into train",
            expected="pictures for training, or no parts at all: then heldout makes them",
            fix="add the training pictures (trainfile.txt, or rows marked train), or drop the column",
        )


def _root_of(folder: Path, pictures: Iterable[str]) -> Path:
    inside = str(folder).rstrip("/") + "/"
    if all(picture.startswith(inside) for picture in pictures):
        return folder
    return Path(os.path.commonpath([str(Path(picture).parent) for picture in pictures]))
