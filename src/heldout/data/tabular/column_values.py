"""One column of a table -> numpy: numbers with NaN where there is none, or words as codes.

Both work on columns of plain types (`table_files.py`) whatever their type is, since a column that was numbers in one
file may be words in another. Words are judged once for each different word, so a million rows cost little.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from heldout.arrow_arrays import numbers_in

if TYPE_CHECKING:
    import pyarrow as pa

# What pyarrow takes for missing in a column of numbers, in lower case.
_MISSING_WORDS = frozenset({"", "na", "n/a", "#na", "#n/a", "#n/a n/a", "null", "nan", "-nan", "none"})
_TRUTH = {"true": 1.0, "false": 0.0}


class Words(NamedTuple):
    """A column of words: for each row an index into `words`, or -1 where it has none."""

    codes: Int[np.ndarray, " rows"]
    words: tuple[str, ...]


def words_of(column: "pa.ChunkedArray") -> Words:
    """The words of a column without outer blanks; an empty word is none. Numbers are written as short as can be.

    The words stand in the order of their first row, each once.

    Example:
        >>> import pyarrow as pa
        >>> words_of(pa.chunked_array([["b", " a", None, "b "]]))
        Words(codes=array([ 0,  1, -1,  0]), words=('b', 'a'))
    """
    import pyarrow as pa

    if not is_words(column.type):
        column = column.cast(pa.large_string())
    encoded = column.dictionary_encode().unify_dictionaries()
    if not encoded.num_chunks:
        return Words(np.empty(0, np.int64), ())
    dictionary = encoded.chunk(0).dictionary.to_pylist()
    codes = np.concatenate([numbers_in(chunk.indices, empty=-1).astype(np.int64) for chunk in encoded.chunks])
    index: dict[str, int] = {}
    # The last place is for code -1.
    new = np.full(len(dictionary) + 1, -1, np.int64)
    for old, word in enumerate(dictionary):
        stripped = word.strip()
        if stripped:
            new[old] = index.setdefault(stripped, len(index))
    return Words(new[codes], tuple(index))


def numbers_of(column: "pa.ChunkedArray") -> Float[np.ndarray, " rows"]:
    """The numbers of a column as float64: NaN where there is none, infinity where there is one; times as seconds.

    Words are read as numbers, `true` and `false` as 1 and 0; what is no number is NaN.

    Example:
        >>> import pyarrow as pa
        >>> numbers_of(pa.chunked_array([["1", "x", None, "1e400"]])).tolist()
        [1.0, nan, nan, inf]
    """
    import pyarrow as pa
    from pyarrow import types

    if is_words(column.type):
        words = words_of(column)
        return spread([as_number(word) for word in words.words], words)
    if types.is_null(column.type):
        return np.full(len(column), np.nan)
    if types.is_timestamp(column.type):
        column = column.cast(pa.int64()).cast(pa.float64(), safe=False)
        seconds: Float[np.ndarray, " rows"] = numbers_in(column, empty=np.nan) / 1e6
        return seconds
    if types.is_boolean(column.type):
        column = column.cast(pa.int8())
    found: Float[np.ndarray, " rows"] = numbers_in(column.cast(pa.float64(), safe=False), empty=np.nan)
    return found


def dates_of(column: "pa.ChunkedArray") -> Float[np.ndarray, " rows"]:
    """The dates and times of a column as seconds since 1970 (UTC), NaN where there is none.

    Words are read as ISO 8601, such as 2020-01-31 or 2020-01-31T10:00:00+01:00; without a zone they are UTC.
    """
    if not is_words(column.type):
        return numbers_of(column)
    words = words_of(column)
    return spread([as_seconds(word) for word in words.words], words)


def is_words(kind: "pa.DataType") -> bool:
    """Whether a column of this type holds words."""
    from pyarrow import types

    return bool(types.is_large_string(kind) or types.is_string(kind))


def spread(values: Sequence[float], words: Words) -> Float[np.ndarray, " rows"]:
    """The value of each row's word, NaN where it has none.

    Example:
        >>> spread([5.0, 7.0], Words(np.array([1, -1, 0]), ("a", "b"))).tolist()
        [7.0, nan, 5.0]
    """
    of_word: Float[np.ndarray, " words"] = np.asarray([*values, np.nan], np.float64)
    spread_out: Float[np.ndarray, " rows"] = of_word[words.codes]
    return spread_out


def as_number(word: str) -> float:
    """The number that a word is, infinite where it is too large for one; NaN where it is none.

    Example:
        >>> as_number("1e3"), as_number("1_000"), as_number("9" * 5000), as_number("True")
        (1000.0, nan, inf, 1.0)
    """
    try:
        return float(word) if "_" not in word else np.nan
    except ValueError:
        return _TRUTH.get(word.lower(), np.nan)


def as_seconds(word: str) -> float:
    """Seconds since 1970 of a date in ISO 8601 with hyphens, NaN where it is none."""
    try:
        found = datetime.fromisoformat(word) if "-" in word else None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() if found else np.nan
    except (ValueError, OverflowError):
        return np.nan


def is_missing_word(word: str) -> bool:
    """Whether a word stands for a missing number, such as NA.

    Example:
        >>> is_missing_word("NaN"), is_missing_word("?")
        (True, False)
    """
    return word.lower() in _MISSING_WORDS
