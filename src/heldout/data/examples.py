"""Examples: which pictures there are, which class each belongs to, and which part the data puts it in.

`Examples` holds names and numbers only; the bytes stay where they are. All layouts end in `gather`, so
the order of the examples and the class map are made in one place.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from heldout.errors import DataError

if TYPE_CHECKING:
    from heldout.data.storage.sources import Source

PARTS = ("train", "validation", "test")

# What a folder, a listing file or a cell of a part column may be called, in lower case -> index into PARTS.
PART_NAMES = {"train": 0, "val": 1, "valid": 1, "validation": 1, "test": 2}

# One example on its way into `gather`: id, class name, index into PARTS (-1: the data does not say).
Row = tuple[str, str, int]


class NumberedIds(tuple[str, ...]):
    """Ids that know where each stands in its source, so that nobody has to read that from the words again.

    Attributes:
        numbers: The position of each; ids of one source are sorted as these are.
    """

    numbers: Int[np.ndarray, " ids"]

    @classmethod
    def of(cls, ids: Iterable[str], numbers: Int[np.ndarray, " ids"]) -> "NumberedIds":
        """The ids and their positions."""
        found = cls(ids)
        found.numbers = numbers
        return found


def taken(ids: tuple[str, ...], indices: Int[np.ndarray, " chosen"]) -> tuple[str, ...]:
    """The ids at these indices, with their positions where they know them."""
    chosen = map(ids.__getitem__, indices.tolist())
    return NumberedIds.of(chosen, ids.numbers[indices]) if isinstance(ids, NumberedIds) else tuple(chosen)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that stands with the data and is not used: what, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Labelled pictures: names, classes and the parts that come with the data.

    Attributes:
        source: Where the bytes are.
        ids: Names in `source`, POSIX paths, unique and sorted, so that nothing depends on the file system's order.
        labels: int64, index into `classes`.
        classes: Every class of the data, sorted as plain strings ("10" stands before "9", "Z" before "a").
        given: int8, index into `PARTS` where the data says it, -1 where it does not.
        layout: "class folders", "split folders", "listing" or "flowers-102".
        passed_over: What stands with the data and is not used, sorted by name.
        groups: The name of each one's group, empty where it has none; no names at all where none were asked for.
    """

    source: "Source"
    ids: tuple[str, ...]
    labels: Int[np.ndarray, " examples"]
    classes: tuple[str, ...]
    given: Int[np.ndarray, " examples"]
    layout: str
    passed_over: tuple[PassedOver, ...] = ()
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.ids) == len(self.labels) == len(self.given), (
            f"{len(self.ids)} ids, {len(self.labels)} labels, {len(self.given)} given parts"
        )
        assert len(self.groups) in {0, len(self.ids)}, f"{len(self.ids)} ids, {len(self.groups)} groups"
        assert _are_sorted(self.ids), "ids are not unique and sorted"
        assert all(a < b for a, b in pairwise(self.classes)), f"classes are not sorted: {self.classes}"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def things(self) -> str:
        """What the examples are, for messages."""
        return things_of(self.layout)

    def take(self, indices: Int[np.ndarray, " chosen"]) -> "Examples":
        """The examples at `indices`, in the order of their ids whatever the order of `indices`.

        The class map stays whole and `passed_over` is kept.
        """
        indices = np.sort(indices)
        return replace(
            self,
            ids=taken(self.ids, indices),
            labels=self.labels[indices],
            given=self.given[indices],
            groups=tuple(map(self.groups.__getitem__, indices.tolist())) if self.groups else (),
        )


def gather(source: "Source", rows: Sequence[Row], *, layout: str, passed_over: Iterable[PassedOver] = ()) -> Examples:
    """`Examples` with one class map, whatever order the rows came in.

    Raises:
        DataError: Two class names differ only in case, Unicode form or outer blanks, or there are fewer
            than two classes.

    Example:
        >>> from pathlib import Path
        >>> from heldout.data.storage.sources import FolderSource
        >>> examples = gather(FolderSource(Path(".")), [("b.jpg", "dog", 0), ("a.jpg", "cat", 0)], layout="listing")
        >>> examples.ids, examples.classes, examples.labels.tolist()
        (('a.jpg', 'b.jpg'), ('cat', 'dog'), [0, 1])
    """
    rows = sorted(rows)
    classes = sorted({name for _, name, _ in rows})
    _check_class_names(source, classes)
    _check_two_classes(source, classes, [row[0] for row in rows])
    index = {name: i for i, name in enumerate(classes)}
    return Examples(
        source=source,
        ids=tuple(row[0] for row in rows),
        labels=np.fromiter((index[row[1]] for row in rows), np.int64, len(rows)),
        classes=tuple(classes),
        given=np.fromiter((row[2] for row in rows), np.int8, len(rows)),
        layout=layout,
        passed_over=tuple(sorted(passed_over, key=lambda thing: thing.name)),
    )


def _are_sorted(ids: tuple[str, ...]) -> bool:
    if isinstance(ids, NumberedIds):
        return bool(np.all(np.diff(ids.numbers) > 0))
    return all(a < b for a, b in pairwise(ids))


def things_of(layout: str) -> str:
    """What examples of a layout are, for messages."""
    return "rows" if layout == "table" else "pictures"


def some_of(names: Sequence[str], n_shown: int = 5) -> str:
    """The first few names, quoted, and how many more there are.

    Control characters and what is not valid Unicode come out escaped, so the text is safe to print.

    Example:
        >>> some_of(["a", "b", "c"], 2)
        "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:n_shown])
    return shown + (f" and {len(names) - n_shown:,} more" if len(names) > n_shown else "")


def _check_class_names(source: "Source", classes: Sequence[str]) -> None:
    # A file system without case (macOS, Windows) or with another Unicode form makes one folder of the two,
    # so the same data would have another class map there.
    seen: dict[str, str] = {}
    for name in classes:
        first = seen.setdefault(_key_of(name), name)
        if first != name:
            # Two Unicode forms of one name look the same, so their code points are shown.
            show = ascii if unicodedata.normalize("NFC", first) == unicodedata.normalize("NFC", name) else repr
            raise DataError(
                f"the classes {show(first)} and {show(name)} of {source.name!r} differ only in case, Unicode form "
                "or outer blanks",
                expected="class names that stay different on every file system",
                fix="give both the same name if they are one class, otherwise rename one of them",
            )


def _key_of(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()


def _check_two_classes(source: "Source", classes: Sequence[str], ids: Sequence[str]) -> None:
    if len(classes) >= 2:
        return
    if not classes:
        raise DataError(
            f"there is no labelled picture in {source.name!r}",
            expected="at least two classes with pictures",
            fix="add pictures, or point at the folder that holds the class folders",
        )
    # A folder too high: its one sub-folder is taken for a class, and the classes lie inside it.
    nested = all(name.startswith(f"{classes[0]}/") and name.count("/") > 1 for name in ids)
    raise DataError(
        f"{source.name!r} has one class only, {classes[0]!r}, with {len(ids):,} pictures",
        expected="at least two classes: with one there is nothing to tell apart",
        fix=f"point at {source.path_of(classes[0])!r} if the class folders are in there"
        if nested
        else "add a folder (or rows) for what is not of this class",
    )
