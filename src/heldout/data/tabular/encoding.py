"""Rows of a table -> float32 features, by rules that were learned from the rows of train alone.

- A number is standardised by train's mean and deviation; where it is missing or infinite it is train's median, and one
  feature more says so if that happened in train. Truth values are 0 and 1, dates and times are seconds since 1970.
- A word is one feature for each category: those of train, at most the 100 commonest, the others together.
- Words that are nearly all numbers, or nearly all dates in ISO 8601, are those.
- A column without two different values is dropped, so is one that counts the rows, and one whose words are nearly all
  different, such as names and free text.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from heldout.arrow_arrays import arrow_rows
from heldout.data.examples import some_of
from heldout.data.tabular.column_values import (
    Words,
    as_number,
    as_seconds,
    dates_of,
    is_missing_word,
    is_words,
    numbers_of,
    words_of,
)
from heldout.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["number", "category", "date"]

_MAX_CATEGORIES = 100
# Of all columns of words together, so that 10,000 of them do not make a million features (assumed).
_MAX_WORD_FEATURES = 20_000
# Words are numbers or dates where so many cells are; the others, such as "?", are then missing (assumed).
_NEARLY_ALL = 0.9
# Fewer different values than this, or rows, say nothing about what a column is (assumed).
_MIN_FOR_ID = 20
# A column that counts rows misses at most those outside train: fewer than three of four (assumed).
_MAX_GAPS = 4
# Standardised numbers beyond this are cut off there: float32 and the losses stay finite (assumed).
_LIMIT = 1e6


@dataclass(frozen=True, slots=True)
class Column:
    """What was learned about one column.

    Attributes:
        name: Of the column.
        kind: What its cells are.
        n_missing: Rows of train without a value; infinite numbers count.
        mean: Of train, after missing values were filled in; of numbers and dates alone, as the next two.
        scale: The standard deviation, above 0.
        fill: The median of train.
        categories: Words with a feature of their own, sorted; none for numbers and dates.
        n_others: How many other words train has, which share one feature.
    """

    name: str
    kind: Kind
    n_missing: int = 0
    mean: float = 0.0
    scale: float = 1.0
    fill: float = 0.0
    categories: tuple[str, ...] = ()
    n_others: int = 0

    @property
    def has_missing(self) -> bool:
        """Whether a feature says that the value is missing."""
        return self.n_missing > 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, in their order."""
        own = tuple(f"{self.name} = {word}" for word in self.categories) if self.kind == "category" else (self.name,)
        others = (f"{self.name} = (other)",) if self.n_others else ()
        return own + others + ((f"{self.name} is missing",) if self.has_missing else ())


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column that makes no feature: `constant`, `row number` or `names`."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Encoder:
    """How rows become features.

    Attributes:
        columns: What makes features, in the order of the table.
        dropped: What makes none.
        n_rows: How many rows it was learned from.
    """

    columns: tuple[Column, ...]
    dropped: tuple[Dropped, ...] = ()
    n_rows: int = 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each feature."""
        return tuple(name for column in self.columns for name in column.feature_names)

    def encode(
        self, table: "pa.Table", rows: Int[np.ndarray, " rows"] | None = None
    ) -> Float32[np.ndarray, "rows features"]:
        """The features of some rows, or of all.

        Args:
            table: Has all of `columns`, of plain types, in any order.
            rows: Positions in the table.

        Raises:
            KeyError: A column is missing.
        """
        widths = [len(column.feature_names) for column in self.columns]
        n_rows = table.num_rows if rows is None else len(rows)
        features = np.zeros((n_rows, sum(widths)), np.float32)
        begin = 0
        for column, width in zip(self.columns, widths, strict=True):
            cells = table.column(column.name)
            cells = cells if rows is None else cells.take(arrow_rows(rows))
            fill = _fill_words if column.kind == "category" else _fill_numbers
            fill(column, cells, features[:, begin : begin + width])
            begin += width
        return features

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: object) -> "Encoder":
        """The encoder that `as_dict` gave, also after JSON.

        Raises:
            ValueError: It is not one; says which part.
        """
        from heldout.data.tabular.encoder_records import encoder_of

        return encoder_of(content)


def fit_encoder(table: "pa.Table", rows: Int[np.ndarray, " rows"] | None = None) -> Encoder:
    """An encoder learned from some rows of a table, or from all.

    Args:
        table: Feature columns of plain types (`table_files.read_table`).
        rows: Positions in the table of the rows of train, ascending.

    Raises:
        DataError: No column makes a feature.

    Example:
        >>> import pyarrow as pa
        >>> encoder = fit_encoder(pa.table({"size": [1, 3, None], "colour": ["red", "blue", "red"]}))
        >>> encoder.feature_names
        ('size', 'size is missing', 'colour = blue', 'colour = red')
        >>> encoder.encode(pa.table({"size": [5], "colour": ["green"]})).tolist()
        [[3.674234628677368, 0.0, 0.0, 0.0]]
    """
    n_rows = table.num_rows if rows is None else len(rows)
    n_words = sum(is_words(kind) for kind in table.schema.types)
    most = max(2, min(_MAX_CATEGORIES, _MAX_WORD_FEATURES // max(1, n_words)))
    found: list[Column | Dropped] = []
    for name in table.schema.names:
        cells = table.column(name)
        found.append(_fit(name, cells if rows is None else cells.take(arrow_rows(rows)), most))
    columns = tuple(one for one in found if isinstance(one, Column))
    dropped = tuple(one for one in found if isinstance(one, Dropped))
    if not columns:
        raise DataError(
            f"no column can be learned from: {some_of([f'{one.name}: {one.reason}' for one in dropped])}",
            expected="a column of numbers, of words that come again, or of dates, with two different values in train",
            fix="add columns that say something about the rows",
        )
    return Encoder(columns, dropped, n_rows)


def kind_of(cells: "pa.ChunkedArray") -> Kind:
    """What the cells of a column are, whatever their type.

    Example:
        >>> import pyarrow as pa
        >>> [kind_of(pa.chunked_array([words])) for words in (["1", "NA"], ["2020-01-31"], ["red", "2"])]
        ['number', 'date', 'category']
    """
    from pyarrow import types

    if is_words(cells.type):
        return _kind_of_words(words_of(cells))
    return "date" if types.is_timestamp(cells.type) else "number"


def _kind_of_words(words: Words) -> Kind:
    counts = np.bincount(words.codes[words.codes >= 0], minlength=len(words.words))
    for kind, reader in (("number", as_number), ("date", as_seconds)):
        if _share(words, counts, reader) >= _NEARLY_ALL:
            return "number" if kind == "number" else "date"
    return "category"


def _share(words: Words, counts: Int[np.ndarray, " words"], reader: Callable[[str], float]) -> float:
    """The share of the cells with a value that a reader can read."""
    # Most columns of words show within the first few that they are no numbers.
    head = words.words[:200]
    if len(words.words) > len(head) and all(np.isnan(reader(word)) for word in head):
        return 0.0
    is_there = np.array([not is_missing_word(word) for word in words.words], bool)
    can = np.array([not np.isnan(reader(word)) for word in words.words], bool)
    return float(counts[can & is_there].sum() / max(1, counts[is_there].sum()))


def _fit(name: str, cells: "pa.ChunkedArray", most: int) -> Column | Dropped:
    words = words_of(cells) if is_words(cells.type) else None
    kind = kind_of(cells) if words is None else _kind_of_words(words)
    if words is not None and kind == "category":
        return _fit_words(name, words, most)
    values = numbers_of(cells) if kind == "number" else dates_of(cells)
    is_there = np.isfinite(values)
    there, n_missing = values[is_there], int(np.count_nonzero(~is_there))
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 0.0)
    if not len(there) or (low == high and not n_missing):
        return Dropped(name, "constant")
    if kind == "number" and not n_missing and _counts_rows(there):
        return Dropped(name, "row number")
    # Kept inside what float64 can square, so that mean and deviation of huge numbers are finite.
    unit = max(abs(low), abs(high), 1e-300) if max(abs(low), abs(high)) > 1e150 else 1.0
    fill = float(np.median(there / unit)) * unit
    filled = np.where(is_there, values, fill) / unit
    scale = float(filled.std()) * unit
    return Column(name, kind, n_missing, float(filled.mean()) * unit, scale if scale > 0 else (high - low) or 1.0, fill)


def _counts_rows(values: Float[np.ndarray, " rows"]) -> bool:
    """Whether the values are whole, rise from row to row, and leave out few: those of rows outside train."""
    with np.errstate(over="ignore"):  # the distance of two huge numbers may be infinite
        if len(values) < _MIN_FOR_ID or values[-1] - values[0] > _MAX_GAPS * len(values):
            return False
        return bool(np.all(np.diff(values) >= 1) and np.all(values == np.floor(values)))


def _fit_words(name: str, words: Words, most: int) -> Column | Dropped:
    n_missing = int(np.count_nonzero(words.codes < 0))
    n_there, n_words = len(words.codes) - n_missing, len(words.words)
    if not n_words or (n_words == 1 and not n_missing):
        return Dropped(name, "constant")
    if n_words >= _MIN_FOR_ID and n_words > _NEARLY_ALL * n_there:
        return Dropped(name, "names")
    counts = np.bincount(words.codes[words.codes >= 0], minlength=n_words)
    # Among equally common ones the first by name, so that the order of rows does not matter.
    order = sorted(range(n_words), key=lambda i: (-counts[i], words.words[i]))[:most]
    kept = tuple(sorted(words.words[i] for i in order))
    return Column(name, "category", n_missing, categories=kept, n_others=n_words - len(kept))


def _fill_numbers(
    column: Column, cells: "pa.ChunkedArray", features: Float32[np.ndarray, "rows column_features"]
) -> None:
    values = numbers_of(cells) if column.kind == "number" else dates_of(cells)
    is_there: Bool[np.ndarray, " rows"] = np.isfinite(values)
    with np.errstate(over="ignore"):  # what becomes infinite is cut off
        standard = (np.where(is_there, values, column.fill) - column.mean) / column.scale
    features[:, 0] = np.clip(standard, -_LIMIT, _LIMIT)
    if column.has_missing:
        features[:, 1] = ~is_there


def _fill_words(
    column: Column, cells: "pa.ChunkedArray", features: Float32[np.ndarray, "rows column_features"]
) -> None:
    words = words_of(cells)
    place = {word: i for i, word in enumerate(column.categories)}
    other = len(place) if column.n_others else -1
    missing = features.shape[1] - 1 if column.has_missing else -1
    places = np.array([*(place.get(word, other) for word in words.words), missing], np.int64)[words.codes]
    marked = np.flatnonzero(places >= 0)
    features[marked, places[marked]] = 1.0
