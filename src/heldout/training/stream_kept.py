"""Rows of a stream that stay in memory: those of test and validation, a sample of train, and a first glimpse of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from heldout.arrow_arrays import arrow_rows
from heldout.data.examples import PARTS
from heldout.data.tabular.column_values import numbers_of
from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError
from heldout.training.stream_rows import (
    BUFFER_BYTES,
    HASHES,
    TEST,
    TRAIN,
    VALIDATION,
    Labelling,
    RowStream,
    whole_file,
)

if TYPE_CHECKING:
    import pyarrow as pa

_KEPT_CELLS = 2**23  # of the sample: 64 MB as float64
# A first look: so many rows that one pass from there leads near enough, with 20 columns (measured here, 2026-11-22).
_GLIMPSE_ROWS = 50_000
# So many heads: each costs the dictionaries of its columns, 0.05 s for 20 of them (measured here, 2026-11-23).
_GLIMPSED_GROUPS = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that stay in memory: all of test and validation, and a sample of train.

    Attributes:
        table: Their columns, of plain types.
        rows: Their numbers in the file, from 0, ascending.
        labels: Their classes.
        parts: Index into `PARTS`.
    """

    table: "pa.Table"
    rows: Int[np.ndarray, " kept"]
    labels: Int[np.ndarray, " kept"]
    parts: Int[np.ndarray, " kept"]

    def of(self, part: int) -> Int[np.ndarray, " of_part"]:
        """The positions of one part's rows."""
        return np.flatnonzero(self.parts == part)


class Keeper:
    """What gathers the rows that stay in memory while a pass goes over all.

    One half of the sample is drawn as the classes are, the other as if they were equally frequent, so that a class of
    which one row in a million is has rows enough in it.

    Args:
        stream: The file.
        labelling: Its classes.
        n_sample: About so many rows of train; fewer where a row has many columns.
    """

    def __init__(self, stream: RowStream, labelling: Labelling, n_sample: int) -> None:
        counts = labelling.counts
        n_sample = min(n_sample, _KEPT_CELLS // len(stream.columns))
        wished = n_sample * (0.5 / counts.sum() + 0.5 / (np.count_nonzero(counts) * np.maximum(counts, 1)))
        self._stream, self._labelling = stream, labelling
        # The rows of a class whose hash lies below this are kept: test, validation, and a share of train.
        begin = stream.bounds[1]
        self._limits = np.append(begin + (HASHES - begin) * np.minimum(1.0, wished), 0).astype(np.int64)
        self._found: list[tuple[pa.Table, np.ndarray, np.ndarray, np.ndarray]] = []

    def add(
        self, begin: int, table: "pa.Table", codes: Int[np.ndarray, " rows"], hashes: Int[np.ndarray, " rows"]
    ) -> None:
        """Take from a batch what is to be kept: its first row, its rows, and the class and hash of each."""
        chosen = np.flatnonzero(hashes < self._limits[codes])
        parts = self._stream.parts(hashes[chosen])
        self._found.append((taken(table.select(self._stream.columns), chosen), begin + chosen, codes[chosen], parts))

    def kept(self) -> Kept:
        """All of them.

        Raises:
            DataError: A part has rows of fewer than two classes.
        """
        kept = _joined(self._found, self._stream)
        _check_parts(self._stream, self._labelling, kept)
        return kept


def keep(stream: RowStream, labelling: Labelling, *, n_sample: int) -> Kept:
    """The rows of test, of validation, and a sample of train of about `n_sample`, from a pass for nothing else."""
    keeper = Keeper(stream, labelling, n_sample)
    for begin, table in stream.batches([*stream.columns, stream.target]):
        codes = labelling.codes(read_table(table.select([stream.target])).column(0))
        keeper.add(begin, table, codes, stream.hashes(begin, begin + len(codes)))
    return keeper.kept()


def glimpse(stream: RowStream, labelling: Labelling) -> Kept | None:
    """Rows of train from the heads of row groups that are evenly spread over the file, without reading the others.

    None where there is not one. They need not be like the others: what follows from them has to be checked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [*stream.columns, stream.target]
    n_rows = min(_GLIMPSE_ROWS, _KEPT_CELLS // len(names))
    found = []
    with whole_file(stream.path), pq.ParquetFile(stream.path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
        n_groups = file.num_row_groups
        begins = np.cumsum([0, *(file.metadata.row_group(group).num_rows for group in range(n_groups))])
        groups = np.unique(np.linspace(0, n_groups - 1, min(n_groups, _GLIMPSED_GROUPS)).astype(int)).tolist()
        for group in groups:
            batches = file.iter_batches(
                max(1, n_rows // len(groups)), row_groups=[group], columns=names, use_threads=False
            )
            for batch in islice(batches, 1):
                table, begin = pa.Table.from_batches([batch]), int(begins[group])
                codes = labelling.codes(read_table(table.select([stream.target])).column(0))
                chosen = np.flatnonzero((stream.hashes(begin, begin + len(codes)) >= stream.bounds[1]) & (codes >= 0))
                rows = taken(table.select(stream.columns), chosen)
                found.append((rows, begin + chosen, codes[chosen], np.full(len(chosen), TRAIN)))
    return _joined(found, stream) if sum(len(rows) for _, rows, _, _ in found) else None


def _joined(found: Sequence[tuple["pa.Table", np.ndarray, np.ndarray, np.ndarray]], stream: RowStream) -> Kept:
    import pyarrow as pa

    tables, rows, labels, parts = zip(*found, strict=True)
    whole = read_table(pa.concat_tables(tables), name=stream.path.name).combine_chunks()
    return Kept(whole, np.concatenate(rows), np.concatenate(labels), np.concatenate(parts))


def row_numbers(kept: Kept) -> list[str]:
    """The columns that count the rows: whole numbers that rise from row to row, no faster than four a row."""
    found = []
    steps = np.diff(kept.rows)
    for name in kept.table.schema.names:
        column = kept.table.column(name)
        if str(column.type) not in ("int64", "double") or len(column) < 20:
            continue
        rises = np.diff(numbers_of(column))
        whole = np.all(rises >= steps) and np.all(rises == np.floor(rises))
        if whole and rises.sum() <= 4 * steps.sum():
            found.append(name)
    return found


def taken(table: "pa.Table", rows: Int[np.ndarray, " rows"]) -> "pa.Table":
    """Some rows of a table."""
    return table.take(arrow_rows(rows))


def _check_parts(stream: RowStream, labelling: Labelling, kept: Kept) -> None:
    for part in (TRAIN, VALIDATION, TEST):
        n_classes = len(np.unique(kept.labels[kept.of(part)]))
        if n_classes < 2:
            raise DataError(
                f"{len(kept.of(part)):,} rows of {stream.path.name!r} fell into {PARTS[part]}, of {n_classes} of "
                f"{len(labelling.classes)} classes",
                expected="rows of two classes at least in every part",
                fix="hold out more rows with test_rows, or use heldout.train, which keeps the classes' shares equal",
            )
