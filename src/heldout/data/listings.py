"""A listing, a file that names pictures and their labels -> Examples.

Pictures are looked for relative to the listing's folder, then in `jpg/` inside it. They may lie elsewhere:
then `Examples.root` is the nearest folder that holds them all.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from heldout.data.examples import PARTS, Examples, PassedOver, Row, gather, some_of
from heldout.data.listing_files import Entry, read_entries
from heldout.data.walking import why_no_file
from heldout.errors import DataError

# For one picture, by its full path: the label and the index into PARTS.
_Said = dict[str, tuple[str, int]]


def read_listing(path: Path) -> Examples:
    """The examples of one listing, with parts where it has a column for them.

    Raises:
        DataError: The file is no listing of a known kind, pictures are absent, or it contradicts itself.
    """
    return _examples(path.parent, read_entries(path), str(path))


def read_part_listings(root: Path, files: dict[int, str]) -> Examples:
    """The examples of several listings in one folder, one a part.

    Args:
        root: The folder.
        files: Index into `PARTS` -> name of the listing.

    Raises:
        DataError: As `read_listing`, or there is no listing for training.
    """
    entries = (entry._replace(part=part) for part, name in sorted(files.items()) for entry in read_entries(root / name))
    return _examples(root, entries, str(root))


def _examples(folder: Path, entries: Iterable[Entry], listing: str) -> Examples:
    said: _Said = {}
    absent: list[str] = []
    twice: list[str] = []
    contradictions: list[str] = []
    n_entries = 0
    for picture, label, part in entries:
        n_entries += 1
        full, reason = _find(str(folder), picture)
        before = said.get(full)
        if reason:
            absent.append(f"{picture} ({reason})")
        elif before is None:
            said[full] = (label, part)
        elif before == (label, part):
            twice.append(full)
        else:
            contradictions.append(f"{picture}: {_words(*before)} and {_words(label, part)}")
    _check_pictures(listing, n_entries, absent, contradictions)
    _check_training(listing, said)
    root = _root_of(folder, said)
    start = len(str(root).rstrip("/")) + 1
    rows: list[Row] = [(full[start:], label, part) for full, (label, part) in said.items()]
    passed_over = [PassedOver(full[start:], "listed again with the same label") for full in twice]
    return gather(root, rows, layout="listing", passed_over=passed_over)


def _find(folder: str, picture: str) -> tuple[str, str]:
    """The full path, and why there is no picture: an empty string where there is."""
    # os.path.join is several times faster than a Path, which counts for 100,000 lines.
    full = os.path.normpath(os.path.join(folder, picture))  # noqa: PTH118
    reason = why_no_file(full)
    if reason:
        in_jpg = os.path.normpath(os.path.join(folder, "jpg", picture))  # noqa: PTH118
        if not why_no_file(in_jpg):
            return in_jpg, ""
    return full, reason


def _words(label: str, part: int) -> str:
    return f"{label!r}" + (f" in {PARTS[part]}" if part >= 0 else "")


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
            fix="put the pictures there, or mend the paths",
        )
    if contradictions:
        raise DataError(
            f"{listing!r} names {len(contradictions):,} pictures again with another label or part: "
            f"{some_of(contradictions)}",
            expected="one label and one part for each picture",
            fix="keep the right line of each and remove the others",
        )


def _check_training(listing: str, said: _Said) -> None:
    if all(part > 0 for _, part in said.values()):
        parts = sorted({PARTS[part] for _, part in said.values()})
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
