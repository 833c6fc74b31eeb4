"""A Parquet file that is larger than memory -> its rows, some at a time, each with its class and its part.

Which part a row is in hangs on a hash of its number and the seed alone, so every pass over the file sees the same
parts, whatever the batches. Nothing is held but one batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int, UInt64

from heldout.arrow_arrays import arrow_column, numbers_in
from heldout.data.balance.keyed_shuffle import mixed
from heldout.data.examples import PARTS
from heldout.data.storage.walking import reading, why_no_file
from heldout.data.tabular.table_columns import TableFile, column_of
from heldout.data.tabular.table_files import read_table
from heldout.data.tabular.table_labels import labels_of
from heldout.errors import DataError
from heldout.randomness import key_of

if TYPE_CHECKING:
    import pyarrow as pa

TRAIN, VALIDATION, TEST = range(len(PARTS))
SUFFIXES = (".parquet", ".pq")
# Cells that are in memory at one time: 50,000 rows of 20 columns, 8 MB as float64. With half or twice as many a pass
# takes as long (measured here, 2026-11-22).
_BATCH_CELLS = 2**20
_LEAST_BATCH, _LARGEST_BATCH = 256, 2**16
# Bytes of a column that are read ahead: without a limit a whole row group is, and a file may have but one.
BUFFER_BYTES = 2**18
_MAX_CLASSES = 10_000
# The step from one row's hash to the next (SplitMix64): the odd number nearest to 2^64 / the golden ratio.
_STEP = np.uint64(0x9E3779B97F4A7C15)
HASHES = 2**32
# As many as stay in the first cache: a third of the time of a whole batch. Measured here, 2026-11-23.
_HASHED_AT_ONCE = 2**12


@dataclass(frozen=True, slots=True)
class RowStream:
    """A Parquet file, what is asked of it, and how its rows are parted.

    Attributes:
        path: The file.
        target: The column of the labels.
        columns: The others, in their order.
        n_rows: Of the file.
        shares: Of the rows, that are test and validation.
        seed: Decides which.
    """

    path: Path
    target: str
    columns: tuple[str, ...]
    n_rows: int
    shares: tuple[float, float]
    seed: int

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[int, "pa.Table"]]:
        """The number of the first row, from 0, and the rows of each batch, as they are stored."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        n_rows = min(_LARGEST_BATCH, max(_LEAST_BATCH, _BATCH_CELLS // len(columns)))
        begin = 0
        with whole_file(self.path), pq.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
            # One thread: several take as long on two cores, and hold more.
            for batch in file.iter_batches(n_rows, columns=list(columns), use_threads=False):
                if batch.num_rows:
                    yield begin, pa.Table.from_batches([batch])
                    begin += batch.num_rows

    def hashes(self, begin: int, end: int) -> Int[np.ndarray, " rows"]:
        """A number from 0 to `HASHES` - 1 for each row, evenly distributed, that hangs on its number and the seed."""
        key = np.uint64(key_of(self.seed, "split") & (2**64 - 1))
        rows: UInt64[np.ndarray, " rows"] = np.arange(begin, end, dtype=np.uint64)
        for start in range(0, len(rows), _HASHED_AT_ONCE):
            piece = rows[start : start + _HASHED_AT_ONCE]
            piece *= _STEP
            piece += key
            np.right_shift(mixed(piece), np.uint64(32), out=piece)
        return rows.view(np.int64)

    @property
    def bounds(self) -> tuple[int, int]:
        """Hashes below the first are those of test rows, the others below the second those of validation rows."""
        test, validation = self.shares
        return int(test * HASHES), int((test + validation) * HASHES)

    def parts(self, hashes: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
        """The part of rows with these hashes, as an index into `PARTS`."""
        test, validation = self.bounds
        return np.where(hashes < test, TEST, np.where(hashes < validation, VALIDATION, TRAIN))


@dataclass(frozen=True, slots=True)
class Labelling:
    """The classes of a file.

    Attributes:
        classes: Sorted as plain strings.
        of_word: The class of each word that stands for a label, -1 for one that is none.
        counts: Rows of each class in train.
        n_unlabelled: Rows without a label.
    """

    classes: tuple[str, ...]
    of_word: dict[str, int]
    counts: Int[np.ndarray, " classes"]
    n_unlabelled: int

    def codes(self, column: "pa.ChunkedArray") -> Int[np.ndarray, " rows"]:
        """The class of each row, or -1."""
        words, codes = _words(column)
        classes: Int[np.ndarray, " words"] = np.array([*(self.of_word[word] for word in words), -1], np.int64)
        found: Int[np.ndarray, " rows"] = classes[codes]
        return found


def open_stream(path: str | Path, target: str, *, n_test: int, n_validation: int, seed: int) -> RowStream:
    """A Parquet file as a stream of rows.

    Args:
        path: The file.
        target: The column of the labels.
        n_test: About so many rows are held out; at most a fifth of all.
        n_validation: About so many rows are for choices; at most a tenth.
        seed: Of the parts.

    Raises:
        DataError: There is no such file or column, or it is no Parquet file with rows.
    """
    import pyarrow.parquet as pq

    path = Path(path)
    reason = why_no_file(path)
    if reason or path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{str(path)!r} is {reason or 'no Parquet file by its name'}",
            expected=f"a file that ends in {' or '.join(SUFFIXES)}, which alone can be read piece by piece by column",
            fix="check the path, or write the rows as Parquet, such as by duckdb or pyarrow",
        )
    with whole_file(path), pq.ParquetFile(path) as file:
        n_rows, schema = file.metadata.num_rows, file.schema_arrow
    one_row = _one_row_of(schema)
    target = column_of(TableFile(str(path), repr(str(path)), f"{path.name}:", one_row, -1), target, "target")
    columns = tuple(name for name in schema.names if name != target)
    if not n_rows or not columns:
        raise DataError(
            f"{str(path)!r} has {n_rows:,} rows and {len(columns)} columns beside {target!r}",
            expected="rows, and columns to predict from",
            fix="check that this is the right file",
        )
    read_table(one_row, name=path.name)  # refuses a column of a type that makes no feature
    return RowStream(path, target, columns, n_rows, (min(0.2, n_test / n_rows), min(0.1, n_validation / n_rows)), seed)


def label(stream: RowStream, *, skip_bad: bool) -> Labelling:
    """The classes and how many rows each has, from one pass over the column of the labels.

    Args:
        stream: The file.
        skip_bad: Whether rows without a label are left out; otherwise they are refused.

    Raises:
        DataError: Rows have no label, or the labels are no classes.
    """
    import pyarrow as pa

    values: dict[str, Any] = {}
    counts: dict[str, Any] = {}  # rows of train, and all, that a word stands in
    n_unlabelled = 0
    for begin, table in stream.batches([stream.target]):
        column = read_table(table, name=stream.path.name).column(0)
        words, codes = _words(column)
        n_unlabelled += int(np.count_nonzero(codes < 0))
        is_train = stream.hashes(begin, begin + len(codes)) >= stream.bounds[1]
        found = np.bincount((codes + 1) * 2 + is_train, minlength=2 * len(words) + 2).reshape(-1, 2)[1:]
        for word, (n_held, n_train) in zip(words, found.tolist(), strict=True):
            counts[word] = counts.get(word, 0) + np.array([n_train, n_train + n_held])
        if len(counts) > _MAX_CLASSES:
            raise _no_classes(stream, words)
        if new := [word for word in words if word not in values]:
            values |= _first_values(column, words, codes, new)
    kind = column.type
    if len(values) < 2:
        raise _one_class(stream, list(values))
    # Each value twice, for labels that all stand alone are refused; how often they come is not the question here.
    cells = arrow_column([*values.values()] * 2)
    distinct = pa.chunked_array([cells.cast(kind) if isinstance(cells, pa.Array) else pa.array(cells, kind)])
    classes, codes = labels_of(distinct, stream.target, repr(str(stream.path)))
    of_word = dict(zip(values, codes.tolist(), strict=False))
    of_class = np.zeros(len(classes), np.int64)
    for word, (n_train, n) in counts.items():
        if of_word[word] >= 0:
            of_class[of_word[word]] += n_train
        else:
            n_unlabelled += int(n)
    if n_unlabelled and not skip_bad:
        raise DataError(
            f"{n_unlabelled:,} of {stream.n_rows:,} rows have no label in {stream.target!r}",
            expected="a label in each row",
            fix="fill the cells, or pass skip_bad=True to leave the rows out",
        )
    return Labelling(classes, of_word, of_class, n_unlabelled)


def _words(column: "pa.ChunkedArray") -> tuple[list[str], Int[np.ndarray, " rows"]]:
    """The different cells of a column as words, each once, and for each row which one it is, or -1.

    As `column_values.words_of`, but each cell is made a word once for all its rows: 10^7 numbers in 0.2 s, not 2.
    """
    import pyarrow as pa

    if pa.types.is_integer(column.type) and not column.null_count and len(column):
        numbers = numbers_in(column)
        low, high = int(numbers.min()), int(numbers.max())
        if high - low < _MAX_CLASSES:  # by counting: a sixth of the time
            there = np.bincount(numbers - low) > 0
            return [str(low + i) for i in np.flatnonzero(there).tolist()], (np.cumsum(there) - 1)[numbers - low]
    encoded = column.combine_chunks().dictionary_encode()
    dictionary = encoded.dictionary.cast(pa.large_string()).to_pylist()
    index: dict[str, int] = {}
    new = np.full(len(dictionary) + 1, -1, np.int64)
    none = "nan" if pa.types.is_floating(column.type) else ""
    for old, word in enumerate(dictionary):
        if word is not None and word.strip() not in ("", none):
            new[old] = index.setdefault(word.strip(), len(index))
    return list(index), new[numbers_in(encoded.indices, empty=len(dictionary))]


def _first_values(
    column: "pa.ChunkedArray", words: Sequence[str], codes: Int[np.ndarray, " rows"], new: Sequence[str]
) -> dict[str, Any]:
    """One cell of each new word, as it is stored."""
    first = dict(zip(*np.unique(codes, return_index=True), strict=True))
    place = {word: i for i, word in enumerate(words)}
    return {word: column[int(first[place[word]])].as_py() for word in new}


def _one_row_of(schema: Any) -> "pa.Table":
    import pyarrow as pa

    # `pa.table` and `schema.empty_table` import pandas where that is installed, which takes 0.3 s.
    return pa.Table.from_arrays([pa.nulls(1, field.type) for field in schema], schema=schema)


def _no_classes(stream: RowStream, words: Sequence[str]) -> DataError:
    return DataError(
        f"the column {stream.target!r} of {str(stream.path)!r} has more than {_MAX_CLASSES:,} different labels, such "
        f"as {words[0]!r} and {words[1]!r}: they are names or quantities and no classes",
        expected=f"at most {_MAX_CLASSES:,} classes",
        fix="name another column as the target, or put its values into classes first",
    )


def _one_class(stream: RowStream, words: Sequence[str]) -> DataError:
    found = f"is {words[0]!r} in all {stream.n_rows:,} rows" if words else "has no label: all its cells are empty"
    return DataError(
        f"the column {stream.target!r} of {str(stream.path)!r} {found}",
        expected="at least two classes: with one there is nothing to tell apart",
        fix="name another column as the target",
    )


@contextmanager
def whole_file(path: Path) -> Iterator[None]:
    """Turns what pyarrow refuses of a file into a `DataError`."""
    import pyarrow as pa

    try:
        with reading(path):
            yield
    except MemoryError:
        raise
    except pa.ArrowException as error:
        raise DataError(
            f"{str(path)!r} cannot be read: {str(error).strip()[:300]}",
            expected="a whole Parquet file",
            fix="write the file again",
        ) from error
