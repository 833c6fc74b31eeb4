"""The column that is to be predicted -> one class name a row.

Labels are text. Words are classes as they are written, without outer blanks: NA, null and None too. Where all labels
are numbers, whole ones are written as integers (1.0 and 1.000e+00 are 1), and 007 stays 007; truth values are `true`
and `false`. Only an empty cell is no label; in a column of numbers of a file that keeps types, NaN is none either.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from heldout.data.examples import some_of
from heldout.data.tabular.column_values import as_number, words_of
from heldout.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

# More classes than this are no classes but names or numbers (assumed; a test of 10,000 classes passes).
_MAX_CLASSES = 10_000
# In fewer rows than this, classes with one or two rows each are no sign of anything (assumed).
_MIN_ROWS = 20


def labels_of(
    column: "pa.ChunkedArray", target: str, shown: str, *, least_classes: int = 2
) -> tuple[tuple[str, ...], Int[np.ndarray, " rows"]]:
    """The classes, sorted as plain strings, and for each row its class, or -1 where it has no label.

    Args:
        column: Of plain type, the labels of all files.
        target: Its name.
        shown: How messages call the table.
        least_classes: How many there must be.

    Raises:
        DataError: The labels are numbers to be predicted and no classes, or there are too few classes.

    Example:
        >>> import pyarrow as pa
        >>> labels_of(pa.chunked_array([["1.0", "0.0", "1.0", "", "0.0"]]), "label", "the table")
        (('0', '1'), array([ 1,  0,  1, -1,  0]))
    """
    from pyarrow import types

    words = words_of(column)
    names = list(words.words)
    if types.is_floating(column.type):
        names = ["" if name == "nan" else name for name in names]
    names = _as_classes(names, target, shown)
    classes = tuple(sorted(set(names) - {""}))
    index = {name: i for i, name in enumerate(classes)} | {"": -1}
    codes = np.array([*(index[name] for name in names), -1], np.int64)[words.codes]
    _check(classes, int(np.count_nonzero(codes >= 0)), target, shown, least_classes)
    return classes, codes


def _as_classes(names: Sequence[str], target: str, shown: str) -> list[str]:
    there = [name for name in names if name]
    if {name.lower() for name in there} <= {"true", "false"}:
        return [name.lower() for name in names]
    numbers = np.array([as_number(name) for name in there])
    # An infinite or missing number is a word like any other, such as a class that is called nan.
    if not np.isfinite(numbers).all() or all(name.lstrip("+-").isdigit() for name in there):
        return list(names)
    broken = [name for name, number in zip(there, numbers.tolist(), strict=True) if number != int(number)]
    if broken:
        raise DataError(
            f"the column {target!r} of {shown} holds {len(there):,} different numbers that are not all whole, such as "
            f"{some_of(broken, 3)}: they are quantities and no classes",
            expected="classes: words, whole numbers or truth values",
            fix="name another column as the target, or put the numbers into classes first, such as low and high; "
            "heldout does no regression",
        )
    return [name and str(int(float(name))) for name in names]


def _check(classes: Sequence[str], n_labels: int, target: str, shown: str, least_classes: int) -> None:
    if not classes:
        raise DataError(
            f"the column {target!r} of {shown} has no label: all its cells are empty",
            expected="a label in each row",
            fix="name another column as the target",
        )
    if len(classes) < least_classes:
        raise DataError(
            f"the column {target!r} of {shown} is {classes[0]!r} in all {n_labels:,} rows",
            expected="at least two classes: with one there is nothing to tell apart",
            fix="add rows of another class, or name another column as the target",
        )
    are_unique = 2 < len(classes) == n_labels
    if are_unique or len(classes) > _MAX_CLASSES or (n_labels >= _MIN_ROWS and len(classes) > n_labels / 2):
        raise DataError(
            f"the column {target!r} of {shown} has {len(classes):,} different labels in {n_labels:,} rows, such as "
            f"{some_of(classes, 3)}: they are names or quantities and no classes",
            expected=f"at most {_MAX_CLASSES:,} classes, with two rows each on average",
            fix="name another column as the target, or put its values into classes first",
        )
