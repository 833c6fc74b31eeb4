"""Rows of a table as examples: which columns they have, which class each is of, and which file says which part.

An example is a row. Its id is the file's name and the row's number, such as `points.txt:00042`; numbers are padded, so
the order of ids is that of the rows. Its bytes are those of `row_bytes.py`. Columns are those of all files together:
they must agree by name, in any order, or where they have no names by number.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

import numpy as np
from jaxtyping import Int

from heldout.arrow_arrays import arrow_rows, arrow_words
from heldout.data.examples import PARTS, Examples, NumberedIds, PassedOver, some_of, taken
from heldout.data.groups import with_groups
from heldout.data.storage.walking import Contents
from heldout.data.tabular.column_values import as_number, dates_of, is_missing_word, is_words, numbers_of, words_of
from heldout.data.tabular.encoding import Column, Encoder
from heldout.data.tabular.row_bytes import equal_rows, row_records, row_sha256s
from heldout.data.tabular.table_columns import TableFile, check_columns, column_of, joined_column, read_files
from heldout.data.tabular.table_labels import labels_of
from heldout.data.tabular.table_text import has_no_names
from heldout.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = "table"
# Where fewer cells than this can be read as what was learned, the file is another one (assumed).
_MIN_READABLE = 0.5
# Most columns show within so many rows that they are not the target.
_HEAD_ROWS = 64


@final
@dataclass(frozen=True, eq=False)
class TableSource:
    """The rows of one table or of several, in memory.

    Attributes:
        name: How messages call it.
        table: Feature columns only, of plain types, in one piece each: all rows, those without a label too, in the
            order of their ids.
        labels: The class of each row as a word, null where it has none.
        target: The column that `labels` comes from.
        files: For each file the beginning of its ids and its first row, in the order of the rows.
        n_digits: Of a row's number in its id.
    """

    name: str
    table: "pa.Table"
    labels: "pa.ChunkedArray"
    target: str
    files: tuple[tuple[str, int], ...]
    n_digits: int

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of all rows, sorted."""
        ends = [begin for _, begin in self.files[1:]] + [self.table.num_rows]
        words: list[str] = []
        for (prefix, begin), end in zip(self.files, ends, strict=True):
            template = f"{prefix.replace('%', '%%')}%0{self.n_digits}d"
            words += map(template.__mod__, range(1, end - begin + 1))
        return NumberedIds.of(words, np.arange(self.table.num_rows))

    @cached_property
    def equal(self) -> Int[np.ndarray, " rows"]:
        """A number a row of `table`, equal where all its cells are, as `row_bytes.equal_rows` gives it."""
        return equal_rows(self.table)

    def rows_of(self, ids: Sequence[str]) -> Int[np.ndarray, " chosen"]:
        """The positions in `table` of these ids, in their order.

        Raises:
            KeyError: An id is of another source.
        """
        if isinstance(ids, NumberedIds):
            ends = self.rows_of([ids[0], ids[-1]]) if ids else ids.numbers
            assert not ids or (ends == ids.numbers[[0, -1]]).all(), f"{ids[0]} to {ids[-1]} are of another source"
            return ids.numbers
        begins = {prefix: begin - 1 for prefix, begin in self.files}
        width = self.n_digits
        return np.fromiter((begins[name[:-width]] + int(name[-width:]) for name in ids), np.int64, len(ids))

    def sha256s(self, ids: Sequence[str]) -> list[str]:
        """SHA-256 of each row's bytes, hexadecimal; the label is one of the cells."""
        return row_sha256s(self._cells_of(ids))

    def read(self, name: str) -> bytes:
        """The bytes of a row; its label is one of the cells."""
        (records,) = row_records(self._cells_of([name]))
        return records.tobytes()

    def path_of(self, name: str) -> str:
        """How messages call a row, or a column."""
        return f"{self.name}:{name}" if name else self.name

    def look_into(self, prefix: str = "") -> Contents:
        """Nothing: there are no pictures and no folders in a table."""
        return Contents()

    def why_no_file(self, name: str) -> str:
        """Why there is no row of that name, or an empty string if there is one."""
        try:
            row = int(self.rows_of([name])[0])
        except (KeyError, ValueError):
            return "no such row"
        return "" if 0 <= row < self.table.num_rows else "no such row"

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a row as a file."""
        return BytesIO(self.read(name))

    def _cells_of(self, ids: Sequence[str]) -> "pa.Table":
        table = self.table.append_column(self.target, self.labels)
        return table if ids is self.ids else table.take(arrow_rows(self.rows_of(ids)))


def find_table(
    data: str | Path | object,
    target: str,
    *,
    test: str | Path | object = None,
    validation: str | Path | object = None,
    group_by: str = "",
    skip_bad: bool = False,
    least_classes: int = 2,
) -> Examples:
    """The labelled rows of a table, of layout "table", with a `TableSource`.

    Args:
        data: A file, or rows that speak Arrow (`table_files.read_table`): all rows, or those for training.
        target: The column of the classes: its name, or where columns have no names its position from 1, or "last".
        test: Rows that are given as the test part.
        validation: Rows that are given as the validation part.
        group_by: The column that names what must not be parted, as `target`; it is no feature then.
        skip_bad: Whether rows without a label are left out, and named in `passed_over`, instead of refused.
        least_classes: How many classes there must be; one is enough for rows that are scored and not learned from.

    Raises:
        DataError: A file that is no table, columns that do not agree, labels that are no classes, rows without a label,
            or a column that says the label.
        UsageError: Something that is no table at all.

    Example:
        >>> examples = find_table({"size": [1, 2, 3, 4], "kind": ["a", "b", "a", "b"]}, "kind")
        >>> examples.ids, examples.classes, examples.labels.tolist()
        (('table:1', 'table:2', 'table:3', 'table:4'), ('a', 'b'), [0, 1, 0, 1])
    """
    # Beside a given part the rest is for training: its copies of test rows are leaks, and stay where they are.
    of_data = -1 if test is None and validation is None else PARTS.index("train")
    given = [(data, of_data), (validation, PARTS.index("validation")), (test, PARTS.index("test"))]
    files = read_files(given, tuple(filter(None, (target, group_by))))
    main = next(file for file in files if file.part == of_data)
    target = column_of(main, target, "target")
    group_by = column_of(main, group_by, "group_by") if group_by else ""
    if group_by == target:
        raise DataError(
            f"{target!r} is the target and group_by at once", expected="two columns", fix="group by another column"
        )
    names = [name for name in main.table.schema.names if name not in (target, group_by)]
    if not names:
        raise DataError(
            f"{main.shown} has no column but the target {target!r}" + (f" and {group_by!r}" if group_by else ""),
            expected="columns to predict from",
            fix="add columns; if the cells are parted by something else than comma, semicolon or tab, use one of these",
        )
    for file in files:
        check_columns(file, main)
    shown = " and ".join(file.shown for file in files)
    classes, labels = labels_of(joined_column(files, target), target, shown, least_classes=least_classes)
    source = _source(files, names, target, _label_words(classes, labels))
    _check_no_copy(source, classes, labels, shown)
    examples = _examples(source, files, classes, labels, skip_bad=skip_bad)
    return _grouped(examples, source, joined_column(files, group_by), group_by) if group_by else examples


@dataclass(frozen=True, slots=True, eq=False)
class PlainRows:
    """Rows to be predicted.

    Attributes:
        table: Has the columns that an encoder wants, and no others.
        ids: The name of each row, as in `TableSource`.
        ignored: The columns that the encoder does not know, neither as a feature nor as one that it dropped.
    """

    table: "pa.Table"
    ids: tuple[str, ...]
    ignored: tuple[str, ...]


def table_of(data: str | Path | object, like: Encoder, *, target: str = "") -> PlainRows:
    """The rows of a table without labels, with the columns that an encoder wants in whatever order they come.

    Args:
        data: A file, or rows that speak Arrow.
        like: What the columns have to be like.
        target: The column of the labels, which may be there or not; it is not named in `ignored`.

    Raises:
        DataError: It is no table, a column is missing, or holds something else than what was learned.

    Example:
        >>> from heldout.data.tabular.encoding import fit_encoder
        >>> from heldout.data.tabular.table_files import read_table
        >>> encoder = fit_encoder(read_table({"size": [1, 2, 3]}))
        >>> rows = table_of({"size": [5], "weight": [7]}, encoder)
        >>> rows.ids, rows.ignored
        (('table:1',), ('weight',))
    """
    # A category may be called 007, and a file with numbers alone in its column would lose that.
    as_text = [column.name for column in like.columns if column.kind == "category"]
    ((_, shown, title, table, _),) = read_files([(data, -1)], as_text)
    names = [column.name for column in like.columns]
    missing = [name for name in names if name not in table.schema.names]
    if missing:
        raise DataError(
            f"{shown} lacks {len(missing):,} of {len(names):,} columns: {some_of(missing)}; it has "
            f"{some_of(table.schema.names, 10)}",
            expected=f"the columns that were learned from: {some_of(names, 20)}",
            fix="add them, or check that it is the right file"
            + ("; columns without names must stand where they stood" if has_no_names(table.schema.names) else ""),
        )
    for column in like.columns:
        _check_kind(column, table.column(column.name), shown)
    known = {*names, *(dropped.name for dropped in like.dropped), target}
    width = len(str(table.num_rows))
    return PlainRows(
        table=table.select(names).combine_chunks(),
        ids=tuple(f"{title}{row:0{width}d}" for row in range(1, table.num_rows + 1)),
        ignored=tuple(name for name in table.schema.names if name not in known),
    )


def _check_kind(column: Column, cells: "pa.ChunkedArray", shown: str) -> None:
    from pyarrow import types

    if column.kind == "category" or types.is_null(cells.type):
        return
    if not is_words(cells.type):
        if types.is_timestamp(cells.type) != (column.kind == "date"):
            other = "dates" if types.is_timestamp(cells.type) else "numbers"
            raise DataError(
                f"the column {column.name!r} of {shown} was learned as {column.kind}s, and holds {other}",
                expected=f"{column.kind}s",
                fix="write the column as it was in training, or check that it is the right file",
            )
        return
    words = words_of(cells)
    is_there = np.array([*(not is_missing_word(word) for word in words.words), False])[words.codes]
    values = numbers_of(cells) if column.kind == "number" else dates_of(cells)
    n_there, n_read = int(is_there.sum()), int(np.count_nonzero(is_there & ~np.isnan(values)))
    if n_read < _MIN_READABLE * n_there:
        strange = [words.words[code] for code in np.unique(words.codes[is_there & np.isnan(values)])[:3].tolist()]
        raise DataError(
            f"the column {column.name!r} of {shown} was learned as {column.kind}s, and {n_there - n_read:,} of its "
            f"{n_there:,} cells are none: {some_of(strange)}",
            expected=f"{column.kind}s",
            fix="mend the column, or check that it is the right file",
        )


def _label_words(classes: Sequence[str], labels: Int[np.ndarray, " rows"]) -> "pa.ChunkedArray":
    import pyarrow as pa

    words = pa.concat_arrays([arrow_words(classes), pa.nulls(1, pa.large_string())])
    return pa.chunked_array([words.take(arrow_rows(np.where(labels < 0, len(classes), labels)))])


def _source(files: Sequence[TableFile], names: Sequence[str], target: str, labels: "pa.ChunkedArray") -> TableSource:
    import pyarrow as pa

    begins = np.cumsum([0, *(file.table.num_rows for file in files)]).tolist()
    return TableSource(
        name=" and ".join(file.name for file in files),
        table=pa.table([joined_column(files, name) for name in names], names=list(names)),
        labels=labels,
        target=target,
        files=tuple((file.title, begin) for file, begin in zip(files, begins[:-1], strict=True)),
        n_digits=len(str(max(file.table.num_rows for file in files))),
    )


def _examples(
    source: TableSource,
    files: Sequence[TableFile],
    classes: tuple[str, ...],
    labels: Int[np.ndarray, " rows"],
    *,
    skip_bad: bool,
) -> Examples:
    given = np.concatenate([np.full(file.table.num_rows, file.part, np.int8) for file in files])
    ids = source.ids
    passed_over: tuple[PassedOver, ...] = ()
    bad = np.flatnonzero(labels < 0)
    if len(bad):
        names = [ids[i] for i in bad.tolist()]
        if not skip_bad:
            raise DataError(
                f"{len(names):,} of {len(ids):,} rows have no label in {source.target!r}: {some_of(names)}",
                expected="a label in each row",
                fix="fill the cells, or pass --skip-bad to leave the rows out and record that",
            )
        passed_over = tuple(PassedOver(name, "the row has no label") for name in names)
        there = np.flatnonzero(labels >= 0)
        ids, labels, given = taken(ids, there), labels[there], given[there]
    return Examples(source, ids, labels, classes, given, LAYOUT, passed_over)


def _check_no_copy(source: TableSource, classes: Sequence[str], labels: Int[np.ndarray, " rows"], shown: str) -> None:
    """Refuse a column that is the target again."""
    for name in source.table.schema.names:
        column = source.table.column(name)
        head = min(_HEAD_ROWS, len(column))
        if _is_copy(column.slice(0, head), classes, labels[:head]) and _is_copy(column, classes, labels):
            raise DataError(
                f"the column {name!r} of {shown} says the label: it is equal to {source.target!r} in all "
                f"{len(column):,} rows",
                expected="columns that are known before the label is",
                fix=f"remove the column {name!r} from every file",
            )


def _is_copy(column: "pa.ChunkedArray", classes: Sequence[str], labels: Int[np.ndarray, " rows"]) -> bool:
    """Whether each cell is its row's class: as a number where the column has numbers, and else as a word."""
    there = labels >= 0
    if not is_words(column.type):
        numbers = np.array([as_number(name) for name in classes])
        return bool(np.array_equal(numbers_of(column)[there], numbers[labels[there]]))
    words = words_of(column)
    index = {name: i for i, name in enumerate(classes)}
    codes = np.array([*(index.get(word, -2) for word in words.words), -2])[words.codes]
    return bool(np.array_equal(codes[there], labels[there]))


def _grouped(examples: Examples, source: TableSource, column: "pa.ChunkedArray", group_by: str) -> Examples:
    words = words_of(column)
    names = [*words.words, ""]
    groups = tuple(names[code] for code in words.codes[source.rows_of(examples.ids)].tolist())
    return with_groups(replace(examples, groups=groups), group_by)
