"""What a table says against a score -> Findings: copies of rows, their labels and their order, and its columns.

Equal rows are copies only where most rows are different. In a table of a few discrete values, such as yes and no, equal
rows are to be expected, and keeping them together would leave no rows for a part.
"""

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int

from heldout.arrow_arrays import arrow_rows
from heldout.data.examples import PARTS, Examples, some_of
from heldout.data.problems import DUPLICATES, LABEL_ERRORS
from heldout.data.splits import Split
from heldout.data.tabular.column_leaks import LEAKS, Judged
from heldout.data.tabular.column_problems import find_column_problems
from heldout.data.tabular.encoding import Encoder
from heldout.data.tabular.row_bytes import numbered
from heldout.data.tabular.tables import TableSource
from heldout.findings import MAX_NAMED, Finding

if TYPE_CHECKING:
    import pyarrow as pa

_TRAIN, _TEST = PARTS.index("train"), PARTS.index("test")
# Where at least half of the rows are different, equal ones say something (assumed).
_MOSTLY_DIFFERENT = 0.5
# Neighbours share their label where it changes less than half as often as in a random order (assumed).
_FEW_CHANGES = 0.5
_MIN_FOR_ORDER = 100


def find_table_problems(examples: Examples, split: Split | None, encoder: Encoder) -> list[Finding]:
    """Everything about the rows and columns of a table that a reader of its scores should know.

    Labels of the test part are used for one number alone: how many equal rows have different labels.

    Args:
        examples: Of a `TableSource`.
        split: Of these examples; None judges the parts that come with the data.
        encoder: Learned from train.

    Returns:
        Findings in a fixed order, none where nothing was found.
    """
    judged = judged_of(examples, split, encoder)
    equal = equal_examples(examples)
    found = (*_of_copies(judged, equal), _row_order(judged), _classes_alike(examples), _left_out(examples))
    return [finding for finding in found if finding is not None] + find_column_problems(judged)


def judged_of(examples: Examples, split: Split | None, encoder: Encoder) -> Judged:
    """A table as it is judged.

    Args:
        examples: Of a `TableSource`.
        split: Of these examples; None for the parts that come with the data.
        encoder: Learned from train.
    """
    source = _source_of(examples)
    parts = examples.given if split is None else split.parts
    return Judged(examples, _rows(source, source.rows_of(examples.ids)), parts, encoder)


def row_clusters(source: TableSource, ids: Sequence[str]) -> Int[np.ndarray, " examples"]:
    """A number a row for `make_split`: equal where all features are, if most rows are different, and else its own.

    Args:
        source: Holds the rows.
        ids: Which rows.

    Example:
        >>> from heldout.data.tabular.tables import find_table
        >>> examples = find_table({"a": [1, 2, 1], "b": [5, 5, 5], "label": ["x", "y", "x"]}, "label")
        >>> row_clusters(_source_of(examples), examples.ids).tolist()
        [0, 1, 0]
    """
    equal = _equal(source, source.rows_of(ids))
    return equal if says_something(equal) else np.arange(len(equal))


def leaked_rows(
    source: TableSource, ids: Sequence[str], parts: Int[np.ndarray, " examples"], *, part: str = "test"
) -> Int[np.ndarray, " leaked"]:
    """The examples of a part that have a copy in an earlier part: what a score without leaks leaves out.

    None where most rows are alike, for then equal rows are no copies.

    Args:
        source: Holds the rows.
        ids: Which rows.
        parts: Index into `PARTS` for each of them.
        part: The part that is scored.
    """
    return np.flatnonzero(has_earlier_copy(row_clusters(source, ids), parts, part=part))


def has_earlier_copy(
    copies: Int[np.ndarray, " examples"], parts: Int[np.ndarray, " examples"], *, part: str = "test"
) -> Bool[np.ndarray, " examples"]:
    """Which examples of a part have a copy in an earlier part.

    Args:
        copies: As `row_clusters` gives them.
        parts: Index into `PARTS` for each of them.
        part: The part that is scored.
    """
    later = PARTS.index(part)
    earlier = copies[(parts >= 0) & (parts < later)]
    return np.asarray((parts == later) & np.isin(copies, earlier))


def _source_of(examples: Examples) -> TableSource:
    assert isinstance(examples.source, TableSource), f"examples of {type(examples.source).__name__}"
    return examples.source


def equal_examples(examples: Examples) -> Int[np.ndarray, " examples"]:
    """A number an example, equal where all features are: 0, 1, ... in the order of first appearance."""
    source = _source_of(examples)
    return _equal(source, source.rows_of(examples.ids))


def _equal(source: TableSource, rows: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
    return source.equal if _is_all(source, rows) else numbered(source.equal[rows])


def _is_all(source: TableSource, rows: Int[np.ndarray, " rows"]) -> bool:
    return len(rows) == source.table.num_rows and bool(np.all(rows == np.arange(len(rows))))


def _rows(source: TableSource, rows: Int[np.ndarray, " rows"]) -> "pa.Table":
    return source.table if _is_all(source, rows) else source.table.take(arrow_rows(rows))


def says_something(equal: Int[np.ndarray, " rows"]) -> bool:
    """Whether most rows are different, so that equal ones are copies of each other."""
    return len(equal) > 0 and int(equal.max()) + 1 >= _MOSTLY_DIFFERENT * len(equal)


def _of_copies(judged: Judged, equal: Int[np.ndarray, " examples"]) -> tuple[Finding | None, ...]:
    n_different = int(equal.max()) + 1
    if n_different == len(equal):
        return ()
    if not says_something(equal):
        return (_few_different(equal), _two_labels(judged, equal, are_copies=False))
    return (_across_parts(judged, equal), _within_parts(judged, equal), _two_labels(judged, equal, are_copies=True))


def _few_different(equal: Int[np.ndarray, " examples"]) -> Finding:
    return Finding(
        code="few-different-rows",
        severity="note",
        what=f"{len(equal):,} rows hold {int(equal.max()) + 1:,} different ones: equal rows are to be expected, and "
        "the split does not keep them together",
        why="Where few values are possible, equal rows in train and test are no leak: new rows will be equal to old "
        "ones too. If they are copies of one observation, the score is too high.",
        fix="Nothing, if each row is an observation; otherwise keep one of each, or group by what they share.",
    )


def _across_parts(judged: Judged, equal: Int[np.ndarray, " examples"]) -> Finding | None:
    shares, leaking = [], np.zeros(len(equal), bool)
    for later, earlier in ((2, 0), (2, 1), (1, 0)):
        is_later = judged.parts == later
        also = is_later & np.isin(equal, equal[judged.parts == earlier])
        if also.any():
            shares.append(f"{also.sum():,} of {is_later.sum():,} {PARTS[later]} rows also stand in {PARTS[earlier]}")
            leaking |= also
    if not shares:
        return None
    return Finding(
        code="duplicate-across-splits",
        severity="error",
        what=f"equal rows stand in more than one part: {'; '.join(shares)}",
        why="A score on rows that the model has learned by heart comes out too high.",
        fix="Remove the copies from one of the parts, or do not give the parts: heldout keeps equal rows together.",
        where=_ids(judged, leaking),
        source=DUPLICATES,
    )


def _within_parts(judged: Judged, equal: Int[np.ndarray, " examples"]) -> Finding | None:
    pairs = np.stack([equal, judged.parts])
    _, first, counts = np.unique(pairs, axis=1, return_index=True, return_counts=True)
    if not np.any(counts > 1):
        return None
    is_shown = np.zeros(len(equal), bool)
    is_shown[first[counts > 1]] = True
    return Finding(
        code="duplicate-within-split",
        severity="note",
        what=f"{np.count_nonzero(counts > 1):,} rows come again in the same part, {np.sum(counts[counts > 1] - 1):,} "
        "rows more than different ones",
        why="A copy tells nothing new: n counts it all the same, so an interval comes out a little too narrow.",
        fix="Keep one of each, unless each is an observation of its own.",
        where=_ids(judged, is_shown),
        source=DUPLICATES,
    )


def _two_labels(judged: Judged, equal: Int[np.ndarray, " examples"], *, are_copies: bool) -> Finding | None:
    labels, n_classes = judged.examples.labels, len(judged.examples.classes)
    keys, counts = np.unique(equal * n_classes + labels, return_counts=True)
    most = np.zeros(int(equal.max()) + 1, np.int64)
    np.maximum.at(most, keys // n_classes, counts)
    is_torn = np.bincount(keys // n_classes, minlength=len(most)) > 1
    if not is_torn.any():
        return None
    n_torn = int(np.count_nonzero(is_torn[equal]))
    return Finding(
        code="equal-rows-two-labels",
        severity="warning" if are_copies else "note",
        what=f"{n_torn:,} of {len(equal):,} rows are equal to a row with another label; whoever goes by these columns "
        f"is right for {most.sum() / len(equal):.1%} of all rows at most",
        why="No model can tell equal rows apart: where the labels are wrong they teach a contradiction, and where the "
        "outcome is open they set the best score that there can be.",
        fix="Look at them: correct labels that are wrong, or add a column that tells the rows apart.",
        where=_ids(judged, is_torn[equal]),
        source=LABEL_ERRORS,
    )


def _row_order(judged: Judged) -> Finding | None:
    labels = judged.examples.labels[judged.train]
    counts = np.bincount(labels)
    if len(labels) < _MIN_FOR_ORDER or np.count_nonzero(counts) < 2:
        return None
    n_changes = int(np.count_nonzero(np.diff(labels)))
    # Of all pairs of rows those with two labels: so often it changes in a random order.
    expected = (len(labels) ** 2 - float(np.sum(counts.astype(np.float64) ** 2))) / len(labels)
    if n_changes >= _FEW_CHANGES * expected:
        return None
    if n_changes == np.count_nonzero(counts) - 1:
        return Finding(
            code="rows-sorted-by-label",
            severity="note",
            what=f"the {len(labels):,} rows of train are sorted by label",
            why="heldout shuffles them, so it does no harm here; a split by position would put classes into one part "
            "alone, and whatever counts rows gives the label away.",
            fix="Nothing, as long as no column goes with the row's number.",
        )
    return Finding(
        code="neighbours-share-labels",
        severity="warning",
        what=f"from row to row of train the label changes {n_changes:,} times; in a random order it would change about "
        f"{expected:,.0f} times",
        why="Rows that follow each other may be of one patient, one machine or one hour. Drawn at random they stand in "
        "train and in test, and the score is too high for new ones.",
        fix="Name the column that tells which rows belong together by --group-by, if there is one.",
        source=LEAKS,
    )


def _classes_alike(examples: Examples) -> Finding | None:
    seen: dict[str, list[str]] = {}
    for name in examples.classes:
        seen.setdefault(unicodedata.normalize("NFKC", name).casefold(), []).append(name)
    alike = [names for names in seen.values() if len(names) > 1]
    if not alike:
        return None
    # Two Unicode forms of one name look the same, so code points are shown.
    shown = "; ".join(" and ".join(ascii(name) for name in names) for names in alike[:5])
    return Finding(
        code="classes-alike",
        severity="warning",
        what=f"of {len(examples.classes):,} classes some differ only in case or Unicode form: {shown}",
        why="If they are one class, the model has to tell apart what is the same, and the score comes out too low.",
        fix="Write each class in one way.",
        where=tuple(name for names in alike for name in names)[:MAX_NAMED],
    )


def _left_out(examples: Examples) -> Finding | None:
    if not examples.passed_over:
        return None
    names = [thing.name for thing in examples.passed_over]
    return Finding(
        code="rows-left-out",
        severity="warning",
        what=f"{len(names):,} rows have no label and are in no part: {some_of(names, 3)}",
        why="The score holds for the others. If labels are missing for one kind of row, it is not in the score.",
        fix="Fill in the labels, or look why they are missing.",
        where=tuple(names[:MAX_NAMED]),
    )


def _ids(judged: Judged, chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(judged.examples.ids[i] for i in np.flatnonzero(chosen)[:MAX_NAMED].tolist())
