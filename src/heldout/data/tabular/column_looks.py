"""What stands in a column of a table, class by class -> numbers that a page can draw.

Of all rows that a model may learn from: neither cells nor labels of a given test part are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.data.examples import Examples
from heldout.data.tabular.column_leaks import Judged
from heldout.data.tabular.column_values import Words, dates_of, numbers_of, words_of
from heldout.data.tabular.encoding import Kind, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

# As many classes as a page can colour apart; beyond it the commonest, and the others together.
MAX_CLASSES = 6
# Bars a class for numbers, each a range of values or, where there are few, one value.
N_BARS = 24
# Words with bars of their own.
N_WORDS = 8
# Longer words are cut: a cell may hold a book.
MAX_CHARACTERS = 80
# Where the outer hundredths reach so much further than the rest, bars stand for the rest alone (assumed).
_FAR_OUT = 3.0
# Where the 95 % point is so many medians, bars of equal width would be one bar (assumed).
_SKEWED = 10.0
_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
_MIDDLE = (0.05, 0.5, 0.95)
_N_FIRST = 3


class ClassGroups(NamedTuple):
    """The classes that are told apart: their names, and for each row an index into them."""

    names: tuple[str, ...]
    of_row: Int[np.ndarray, " rows"]


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """One column in numbers.

    Attributes:
        name: Of the column.
        kind: What its cells are.
        not_used: Why no feature is made of it: `constant`, `row number` or `names`; empty where one is.
        n_missing: Rows without a value, of each class.
        n_distinct: How many different values there are.
        first: The first cells, as words; empty where there is no value.
        quartiles: Least, quartiles and greatest, as words; none for words.
        middle: For each class its 5 % point, median and 95 % point, as words; none for words.
        values: What each bar stands for; none where it is a range.
        bounds: Where the first bar begins and the last ends, where bars are ranges.
        is_clipped: Whether the outermost bars hold what lies beyond, too.
        is_logarithmic: Whether equal bars stand for equal ratios.
        counts: For each class the rows of each bar.
    """

    name: str
    kind: Kind
    not_used: str
    n_missing: tuple[int, ...]
    n_distinct: int
    first: tuple[str, ...]
    quartiles: tuple[str, ...] = ()
    middle: tuple[tuple[str, ...], ...] = ()
    values: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()
    is_clipped: bool = False
    is_logarithmic: bool = False
    counts: tuple[tuple[int, ...], ...] = ()


def class_groups(examples: Examples, rows: Int[np.ndarray, " rows"]) -> ClassGroups:
    """All classes where a page can tell them apart, else the commonest and the others together.

    Example:
        >>> from heldout.data.tabular.tables import find_table
        >>> examples = find_table({"size": [1, 2, 3, 4], "kind": ["a", "b", "b", "a"]}, "kind")
        >>> class_groups(examples, np.arange(3))
        ClassGroups(names=('a', 'b'), of_row=array([0, 1, 1]))
    """
    names, labels = examples.classes, examples.labels[rows]
    if len(names) <= MAX_CLASSES:
        return ClassGroups(names, labels)
    counts = np.bincount(labels, minlength=len(names))
    common = np.sort(np.argsort(-counts, kind="stable")[: MAX_CLASSES - 1])
    group_of = np.full(len(names), MAX_CLASSES - 1)
    group_of[common] = np.arange(MAX_CLASSES - 1)
    others = f"{len(names) - len(common):,} other classes"
    return ClassGroups((*(names[i] for i in common.tolist()), others), group_of[labels])


def column_look(judged: Judged, name: str, classes: ClassGroups) -> ColumnLook:
    """One column, in the rows of train and those that are in no part.

    Args:
        judged: The table and its encoder.
        name: Of the column.
        classes: Of these rows.
    """
    cells = judged.column(name, judged.train)
    known = {column.name: column.kind for column in judged.encoder.columns}
    reasons = {dropped.name: dropped.reason for dropped in judged.encoder.dropped}
    kind = known[name] if name in known else kind_of(cells)
    first = tuple("" if cell is None else cut(str(cell)) for cell in cells.slice(0, _N_FIRST).to_pylist())
    look = _of_words if kind == "category" else _of_numbers
    return look(ColumnLook(name, kind, reasons.get(name, ""), (), 0, first), cells, classes)


def cut(word: str) -> str:
    """A word that fits on a page.

    Example:
        >>> cut("short"), len(cut("long" * 1000))
        ('short', 80)
    """
    return word if len(word) <= MAX_CHARACTERS else word[: MAX_CHARACTERS - 1] + "…"


def _of_words(look: ColumnLook, cells: "pa.ChunkedArray", classes: ClassGroups) -> ColumnLook:
    words: Words = words_of(cells)
    n_words = len(words.words)
    totals = np.bincount(words.codes[words.codes >= 0], minlength=n_words)
    # Among equally common ones the first by name, so that the order of rows does not matter.
    chosen = np.lexsort((np.asarray(words.words, object), -totals))[:N_WORDS] if n_words else np.empty(0, np.int64)
    place = np.full(n_words + 1, -1)
    place[chosen] = np.arange(len(chosen))
    values = tuple(cut(words.words[i]) for i in chosen.tolist())
    look = replace(look, n_distinct=n_words, values=values)
    return _counted(look, classes, place[words.codes], words.codes < 0)


def _of_numbers(look: ColumnLook, cells: "pa.ChunkedArray", classes: ClassGroups) -> ColumnLook:
    values = dates_of(cells) if look.kind == "date" else numbers_of(cells)
    is_there = np.isfinite(values)
    ordered = np.sort(values[is_there])
    if not len(ordered):
        return _counted(look, classes, np.full(len(values), -1), ~is_there)
    groups = [np.sort(values[is_there & (classes.of_row == group)]) for group in range(len(classes.names))]
    distinct = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    look = replace(
        look,
        n_distinct=len(distinct),
        quartiles=_words_at(ordered, _QUARTILES, look.kind),
        middle=tuple(_words_at(group, _MIDDLE, look.kind) for group in groups),
    )
    if len(distinct) <= N_BARS:
        look = replace(look, values=tuple(_word(value, look.kind) for value in distinct.tolist()))
        return _counted(look, classes, np.where(is_there, np.searchsorted(distinct, values), -1), ~is_there)
    low, high, is_clipped = _bounds(ordered)
    bounds = (_word(low, look.kind), _word(high, look.kind))
    look = replace(look, bounds=bounds, is_clipped=is_clipped, is_logarithmic=_is_skewed(ordered, low))
    if look.is_logarithmic:
        edges = np.geomspace(low, high, N_BARS + 1)[1:-1]
    else:  # each end by itself, for the distance of two huge numbers may be infinite
        steps = np.arange(1, N_BARS) / N_BARS
        edges = low * (1 - steps) + high * steps
    return _counted(look, classes, np.where(is_there, np.searchsorted(edges, values, side="right"), -1), ~is_there)


def _bounds(ordered: Float[np.ndarray, " values"]) -> tuple[float, float, bool]:
    """Where bars begin and end, and whether values lie beyond."""
    low, high = (float(ordered[round(share * (len(ordered) - 1))]) for share in (0.01, 0.99))
    least, greatest = float(ordered[0]), float(ordered[-1])
    is_clipped = low < high and greatest / 2 - least / 2 > _FAR_OUT * (high / 2 - low / 2)
    return (low, high, True) if is_clipped else (least, greatest, False)


def _is_skewed(ordered: Float[np.ndarray, " values"], low: float) -> bool:
    """Whether the upper half reaches so far that bars of equal width would hold nearly all rows in one."""
    middle, high = (float(ordered[round(share * (len(ordered) - 1))]) for share in (0.5, 0.95))
    return low > 0 and high / middle > _SKEWED


def _counted(
    look: ColumnLook, classes: ClassGroups, bars: Int[np.ndarray, " rows"], is_missing: Bool[np.ndarray, " rows"]
) -> ColumnLook:
    """The look with the rows of each bar, -1 being none, and the rows without a value, of each class."""
    n_classes, n_bars = len(classes.names), len(look.values) or (N_BARS if look.bounds else 0)
    in_bar = bars >= 0
    flat = np.bincount(classes.of_row[in_bar] * n_bars + bars[in_bar], minlength=n_classes * n_bars)
    missing = np.bincount(classes.of_row[is_missing], minlength=n_classes)
    counts = tuple(tuple(each) for each in flat.reshape(n_classes, n_bars).tolist())
    return replace(look, n_missing=tuple(missing.tolist()), counts=counts)


def _words_at(ordered: Float[np.ndarray, " values"], shares: Sequence[float], kind: Kind) -> tuple[str, ...]:
    """Values that are there, at these shares of them; none of nothing."""
    return tuple(_word(float(ordered[round(share * (len(ordered) - 1))]), kind) for share in shares if len(ordered))


def _word(value: float, kind: Kind) -> str:
    """A number in five digits, or a date.

    Example:
        >>> _word(1234567.0, "number"), _word(-0.00123456, "number"), _word(86400.0, "date")
        ('1,234,567', '-0.0012346', '1970-01-02')
    """
    if kind == "date":
        try:
            time = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return f"{value:.5g} s"
        return f"{time:%Y-%m-%d}" if value % 86400 == 0 else f"{time:%Y-%m-%d %H:%M:%S}"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e12 else f"{value:.5g}"
