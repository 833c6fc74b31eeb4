"""Rows that are equal in every feature -> how many there are of each kind, and some of them to be seen side by side."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from heldout.data.examples import PARTS
from heldout.data.tabular.column_leaks import Judged
from heldout.data.tabular.column_looks import cut
from heldout.data.tabular.table_problems import says_something

# The gravest first.
KINDS = ("across-parts", "two-labels", "within-part")
# Of each kind so many groups are kept, and so many cells of a row: nobody looks at more (assumed).
MAX_GROUPS = 24
MAX_CELLS = 12


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A row: its id, its class and its part, which is empty where it is in none."""

    id: str
    label: str
    part: str


@dataclass(frozen=True, slots=True)
class EqualRows:
    """Rows that are equal.

    Attributes:
        kind: One of `KINDS`.
        n: How many there are.
        first: One of them.
        second: Another; of another part where there is one, or else of another class where there is one.
        cells: Names and cells of the first columns, empty where there is no value.
    """

    kind: str
    n: int
    first: LabelledRow
    second: LabelledRow
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Copies:
    """The equal rows of a table.

    Attributes:
        are_copies: Whether most rows are different, so that equal ones say something.
        n_of_kind: How many groups of equal rows there are of each kind.
        n_rows: How many rows are in them.
        shown: The first of each kind.
    """

    are_copies: bool
    n_of_kind: dict[str, int]
    n_rows: int
    shown: tuple[EqualRows, ...]


def copies_of(judged: Judged, equal: Int[np.ndarray, " examples"]) -> Copies:
    """The groups of equal rows by kind; a group that is in two parts and under two labels counts as in two parts.

    Args:
        judged: The table, its labels and parts.
        equal: As `row_bytes.equal_rows` gives it.
    """
    order = np.argsort(equal, kind="stable")
    begins = np.flatnonzero(np.diff(equal[order], prepend=-1))
    sizes = np.diff(begins, append=len(order))
    labels, parts = judged.examples.labels[order], judged.parts[order]
    is_torn = np.minimum.reduceat(labels, begins) < np.maximum.reduceat(labels, begins)
    # A row in no part may come to stand in any: it is in none with another.
    least = np.minimum.reduceat(np.where(parts < 0, len(PARTS), parts), begins)
    is_across = least < np.maximum.reduceat(parts, begins)
    kinds = np.where(is_across, 0, np.where(is_torn, 1, 2))
    kinds[sizes < 2] = -1
    shown = [
        _group(judged, KINDS[kind], order[begins[i] : begins[i] + sizes[i]])
        for kind in range(len(KINDS))
        for i in np.flatnonzero(kinds == kind)[:MAX_GROUPS].tolist()
    ]
    numbers = np.bincount(kinds[kinds >= 0], minlength=len(KINDS)).tolist()
    return Copies(
        says_something(equal), dict(zip(KINDS, numbers, strict=True)), int(sizes[sizes > 1].sum()), tuple(shown)
    )


def _group(judged: Judged, kind: str, rows: Int[np.ndarray, " rows"]) -> EqualRows:
    labels, parts = judged.examples.labels[rows], judged.parts[rows]
    # The row that differs most from the first: by its part, then by its class.
    second = 1 + int(np.argmax(2 * (parts[1:] != parts[0]) + (labels[1:] != labels[0])))
    return EqualRows(
        kind=kind,
        n=len(rows),
        first=_row(judged, int(rows[0])),
        second=_row(judged, int(rows[second])),
        cells=tuple(_cells(judged, int(rows[0]))),
    )


def _row(judged: Judged, row: int) -> LabelledRow:
    examples, part = judged.examples, int(judged.parts[row])
    return LabelledRow(examples.ids[row], examples.classes[examples.labels[row]], PARTS[part] if part >= 0 else "")


def _cells(judged: Judged, row: int) -> Iterator[tuple[str, str]]:
    for name in judged.table.schema.names[:MAX_CELLS]:
        cell = judged.table.column(name)[row].as_py()
        yield cut(name), "" if cell is None else cut(str(cell))
