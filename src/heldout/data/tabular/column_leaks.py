"""Columns that may give the label away, and those that only name rows -> Findings.

Labels of the test part are never looked at: what a column says of the label is learned on train and tried on
validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from heldout.arrow_arrays import arrow_rows
from heldout.data.examples import PARTS, Examples, some_of
from heldout.data.tabular.column_values import dates_of, is_words, numbers_of, words_of
from heldout.data.tabular.encoding import Column, Encoder
from heldout.findings import MAX_NAMED, Finding

if TYPE_CHECKING:
    import pyarrow as pa

_TRAIN, _TEST = PARTS.index("train"), PARTS.index("test")
LEAKS = 'Kapoor and Narayanan, "Leakage and the reproducibility crisis in ML-based science", Patterns 2023'
# Fewer rows may agree with the label by chance: two classes in 20 rows once in a million (computed 2026-11-22).
_MIN_ROWS = 20
# From here on a single column is suspected to have been filled in after the label was known (assumed).
_NEARLY_PERFECT = 0.98
# Fine enough that a bin in which the answer changes costs little, with rows enough to answer from (assumed).
_MAX_BINS, _ROWS_A_BIN, _MAX_ROWS = 256, 8, 20_000


@dataclass(frozen=True, eq=False)
class Judged:
    """A table that is judged: its rows in the order of `examples`, the part of each, and how they become features."""

    examples: Examples
    table: "pa.Table"
    parts: Int[np.ndarray, " examples"]
    encoder: Encoder

    @cached_property
    def train(self) -> Int[np.ndarray, " train"]:
        """The rows of train; what the data leaves open may become train."""
        return np.flatnonzero(self.parts <= _TRAIN)

    def part(self, name: str) -> Int[np.ndarray, " chosen"]:
        """The rows of one part."""
        return np.flatnonzero(self.parts == PARTS.index(name)) if name != "train" else self.train

    def column(self, name: str, rows: Int[np.ndarray, " chosen"] | None = None) -> "pa.ChunkedArray":
        """The cells of a column, in some rows or in all."""
        column = self.table.column(name)
        return column if rows is None else column.take(arrow_rows(rows))


def find_column_leaks(judged: Judged) -> list[Finding]:
    """Columns that give the label away or may do so, in a fixed order."""
    recoded = _recodings(judged)
    found = (
        _target_leaks(recoded),
        _nearly_perfect(judged, recoded),
        _row_numbers(judged),
        _names(judged),
        _unique_numbers(judged),
    )
    return [finding for finding in found if finding is not None]


def n_columns(names: Sequence[str], verb: str, verbs: str) -> str:
    """How many columns, and the verb that goes with it.

    Example:
        >>> n_columns(["a"], "has", "have"), n_columns(["a", "b"], "has", "have")
        ('1 column has', '2 columns have')
    """
    return f"{len(names):,} column {verb}" if len(names) == 1 else f"{len(names):,} columns {verbs}"


def _recodings(judged: Judged) -> list[str]:
    """The columns whose values and the classes stand for each other one to one, in train and validation."""
    seen = np.flatnonzero(judged.parts < _TEST)
    if len(seen) < _MIN_ROWS:
        return []
    labels = judged.examples.labels[seen]
    # Some rows of all classes: most columns show there already that they say something else.
    head = np.union1d(seen[:: max(1, len(seen) // 64)], seen[np.unique(labels, return_index=True)[1]])
    found = []
    for name in judged.table.schema.names:
        if _one_to_one(judged.column(name, head), judged.examples.labels[head]) and _one_to_one(
            judged.column(name, seen), labels
        ):
            found.append(name)
    return found


def _one_to_one(cells: "pa.ChunkedArray", labels: Int[np.ndarray, " rows"]) -> bool:
    values = words_of(cells).codes if is_words(cells.type) else numbers_of(cells)
    pairs = np.unique(np.stack([np.nan_to_num(values, nan=-np.inf, neginf=-np.inf), labels]), axis=1)
    n = pairs.shape[1]
    return bool(n > 1 and n == len(np.unique(pairs[0])) == len(np.unique(pairs[1])))


def _target_leaks(recoded: Sequence[str]) -> Finding | None:
    if not recoded:
        return None
    return Finding(
        code="target-leak",
        severity="error",
        what=f"{n_columns(recoded, 'says', 'say')} the label in other words: {some_of(recoded)}; each value is of one "
        "class, in all rows of train and validation",
        why="A model that reads the label from its input scores near 100 % and knows nothing of rows whose label is "
        "not known yet.",
        fix="Remove them, unless they are known before the label is.",
        where=tuple(recoded[:MAX_NAMED]),
        source=LEAKS,
    )


def _nearly_perfect(judged: Judged, recoded: Sequence[str]) -> Finding | None:
    learn, judge = (_some(judged.part(part)) for part in ("train", "validation"))
    of_what = "validation"
    if not len(judge):  # a look at data without parts: every other row is held back
        learn, judge, of_what = learn[::2], learn[1::2], "train, learned from the others"
    if len(judge) < _MIN_ROWS or len(np.unique(judged.examples.labels[judge])) < 2:
        return None
    scores = {
        column.name: _alone(judged, column, learn, judge)
        for column in judged.encoder.columns
        if column.name not in recoded
    }
    names = sorted((name for name, score in scores.items() if score >= _NEARLY_PERFECT), key=lambda name: -scores[name])
    if not names:
        return None
    return Finding(
        code="column-predicts-alone",
        severity="warning",
        what=f"{n_columns(names, 'tells', 'tell')} the classes apart alone: "
        + ", ".join(f"{name!r} (balanced accuracy {scores[name]:.1%} on {len(judge):,} rows)" for name in names[:5])
        + f" of {of_what}",
        why="So good a column is often filled in after the label is known, such as a diagnosis code; then the score is "
        "too high for new rows. It may also be what the task is about.",
        fix="Ask whether the column is known at the time of the prediction; if not, remove it.",
        where=tuple(names[:MAX_NAMED]),
        source=LEAKS,
    )


def _some(rows: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " some"]:
    return rows[:: -(-len(rows) // _MAX_ROWS)] if len(rows) else rows


def _alone(
    judged: Judged, column: Column, learn: Int[np.ndarray, " train"], judge: Int[np.ndarray, " validation"]
) -> float:
    """Balanced accuracy on validation of the rule that answers by one column: in each bin train's likeliest class."""
    both = judged.column(column.name, np.concatenate([learn, judge]))
    if column.kind == "category":
        bins = words_of(both).codes
    else:
        values = numbers_of(both) if column.kind == "number" else dates_of(both)
        bins = _binned(values, len(learn))
    labels, n_classes = judged.examples.labels, len(judged.examples.classes)
    bins = bins + 1
    counts = np.zeros((int(bins.max()) + 1, n_classes))
    np.add.at(counts, (bins[: len(learn)], labels[learn]), 1.0)
    # Each class counts alike, for the answer is judged so.
    answers = np.argmax(counts / np.maximum(1.0, counts.sum(axis=0)), axis=1)[bins[len(learn) :]]
    is_right = answers == labels[judge]
    return float(np.mean([is_right[labels[judge] == c].mean() for c in np.unique(labels[judge])]))


def _binned(values: Float[np.ndarray, " rows"], n_train: int) -> Int[np.ndarray, " rows"]:
    """Bins with equally many rows of train; -1 where there is no number."""
    train = values[:n_train][np.isfinite(values[:n_train])]
    if not len(train):
        return np.full(len(values), -1)
    n_bins = int(np.clip(len(train) // _ROWS_A_BIN, 2, _MAX_BINS))
    edges = np.unique(np.quantile(train, np.linspace(0, 1, n_bins + 1)[1:-1], method="inverted_cdf"))
    return np.where(np.isfinite(values), np.searchsorted(edges, values), -1)


def _row_numbers(judged: Judged) -> Finding | None:
    names = [dropped.name for dropped in judged.encoder.dropped if dropped.reason == "row number"]
    if not names:
        return None
    return Finding(
        code="row-number-column",
        severity="note",
        what=f"{n_columns(names, 'counts', 'count')} the rows, so no feature is made of it: {some_of(names)}",
        why="A row's number says nothing of new rows; where rows are sorted by label it would give the label away.",
        fix="Remove them, or shuffle the rows if the number means something, such as a rank.",
        where=tuple(names[:MAX_NAMED]),
        source=LEAKS,
    )


def _names(judged: Judged) -> Finding | None:
    names = [dropped.name for dropped in judged.encoder.dropped if dropped.reason == "names"]
    if not names:
        return None
    return Finding(
        code="id-column",
        severity="note",
        what=f"{n_columns(names, 'has', 'have')} another word in nearly each row, so no feature is made of it: "
        f"{some_of(names)}",
        why="Names and free text do not come again in new rows, so nothing can be learned from them as categories.",
        fix="Remove them, or put what they say into numbers or categories; group by a name that several rows have.",
        where=tuple(names[:MAX_NAMED]),
    )


def _unique_numbers(judged: Judged) -> Finding | None:
    from pyarrow import types

    names = []
    for column in judged.encoder.columns:
        cells = judged.table.column(column.name)
        if types.is_int64(cells.type) and not column.has_missing and len(judged.train) >= 100:
            values = np.sort(numbers_of(judged.column(column.name, judged.train)))
            if np.all(np.diff(values) > 0):
                names.append(column.name)
    if not names:
        return None
    return Finding(
        code="unique-numbers",
        severity="warning",
        what=f"{n_columns(names, 'has', 'have')} another whole number in each row of train: {some_of(names)}",
        why="If they are numbers of customers or records, they say nothing of new rows, but may go with the label by "
        "the way the data was collected.",
        fix="Remove them if they are ids; leave them if they measure something.",
        where=tuple(names[:MAX_NAMED]),
        source=LEAKS,
    )
