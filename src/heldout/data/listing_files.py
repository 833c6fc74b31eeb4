"""The file of a listing -> its entries, one a picture.

- `.csv`, `.tsv`: a first line of column names, parted by comma, semicolon or tab.
- `.parquet`: the same columns, of strings or whole numbers.
- `.txt`, `.lst`, `.list`: lines of `picture label`, parted at the last blank, so that a picture's name may
  hold blanks; empty lines and lines that begin with # are passed over.

Everything is read as text: `NA`, `null`, `007`, `1e3` and `no` are classes like any other. Blanks around a
label are dropped. An error names the line.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from heldout.data.examples import PART_NAMES, some_of
from heldout.data.walking import reading
from heldout.errors import DataError, nearest

PICTURE_COLUMNS = ("path", "file", "filename", "image", "picture")
LABEL_COLUMNS = ("label", "class", "target")
PART_COLUMNS = ("split", "part")
_TEXT_SUFFIXES = frozenset({".txt", ".lst", ".list"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})


class Entry(NamedTuple):
    """What a listing says of one picture; `part` is an index into PARTS, or -1 where it does not say."""

    picture: str
    label: str
    part: int


class _Columns(NamedTuple):
    """Which columns hold what, by position; `part` is -1 where there is none."""

    picture: int
    label: int
    part: int


def read_entries(path: Path) -> Iterator[Entry]:
    """The entries of a listing in its own order, read as they are asked for.

    Raises:
        DataError: Not a listing of a known kind, or a line cannot be understood.
    """
    suffix = path.suffix.lower()
    if suffix in _TEXT_SUFFIXES:
        return _text_entries(path)
    if suffix in TABLE_SUFFIXES:
        return _table_entries(path)
    if suffix in PARQUET_SUFFIXES:
        return _parquet_entries(path)
    raise DataError(
        f"{str(path)!r} is a file of unknown kind ({suffix or 'no suffix'})",
        expected="a folder of class folders, or a listing that ends in .csv, .tsv, .parquet or .txt",
        fix="unpack it first if it is an archive; pass the folder if it is one of the pictures",
    )


def _text_entries(path: Path) -> Iterator[Entry]:
    with _open_text(path) as file:
        for number, line in enumerate(file, start=1):
            words = line.rsplit(None, 1)
            if not words or line.lstrip().startswith("#"):
                continue
            if len(words) == 1:
                raise DataError(
                    f"line {number} of {str(path)!r} has a picture but no label: {line.strip()[:80]!r}",
                    expected="lines of `picture label`",
                    fix="add the label; if commas part the columns, name them in a first line and call the file .csv",
                )
            yield Entry(words[0].strip(), words[1], -1)


def _table_entries(path: Path) -> Iterator[Entry]:
    with _open_text(path, newline="") as file:
        header = file.readline()
        # Names of columns hold no delimiter, so the one that occurs most is it.
        delimiter = max(",;\t", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        columns = _find_columns(path, names)
        rows = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            for row in rows:
                if row:
                    yield _entry(path, rows.line_num + 1, row, columns, n_columns=len(names))
        except csv.Error as error:
            raise DataError(
                f"line {rows.line_num + 1} of {str(path)!r} cannot be read: {error}",
                expected="rows of cells, each opening quote with its closing one",
                fix="mend the line",
            ) from error


def _parquet_entries(path: Path) -> Iterator[Entry]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with reading(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            columns = _find_columns(path, schema.names)
            wanted = [schema.names[i] for i in columns if i >= 0]
            for name in wanted:
                _check_type(path, name, schema.field(name).type)
            number = 0
            for batch in file.iter_batches(columns=wanted):
                # The batch's columns stand in the file's order, whatever was asked.
                cells = [batch.column(name).to_pylist() for name in wanted]
                for row in zip(*cells, strict=True):
                    number += 1
                    text = ["" if cell is None else str(cell) for cell in row]
                    yield _entry(path, number, text, _Columns(0, 1, columns.part if columns.part < 0 else 2))
    except pa.ArrowException as error:
        raise DataError(
            f"{str(path)!r} cannot be read as Parquet: {error}",
            expected="a whole Parquet file",
            fix="write the file again",
        ) from error


def _check_type(path: Path, name: str, kind: Any) -> None:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if not (
        types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_integer(kind)
    ):
        raise DataError(
            f"the column {name!r} of {str(path)!r} is of type {kind}",
            expected="pictures as paths in a string column, labels as strings or whole numbers",
            fix="write the column as strings",
        )


@contextmanager
def _open_text(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    try:
        with reading(path), path.open(encoding="utf-8-sig", newline=newline) as file:
            yield file
    except UnicodeDecodeError as error:
        raise DataError(
            f"{str(path)!r} is no UTF-8 text (byte {error.object[error.start]:#04x}: {error.reason})",
            expected="a listing in UTF-8",
            fix="save it as UTF-8, for example with iconv -t UTF-8",
        ) from error


def _find_columns(path: Path, names: Sequence[str]) -> _Columns:
    return _Columns(
        _find_column(path, names, PICTURE_COLUMNS, "the picture"),
        _find_column(path, names, LABEL_COLUMNS, "the label"),
        _find_column(path, names, PART_COLUMNS, "") if _matching(names, PART_COLUMNS) else -1,
    )


def _matching(names: Sequence[str], known: Sequence[str]) -> list[int]:
    return [i for i, name in enumerate(names) if name.strip().lower() in known]


def _find_column(path: Path, names: Sequence[str], known: Sequence[str], role: str) -> int:
    found = _matching(names, known)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{str(path)!r} has {len(found)} columns for one thing: {some_of([names[i] for i in found])}",
            expected=f"exactly one of {', '.join(known)}",
            fix="rename or remove the others",
        )
    hints = (nearest(name.strip().lower(), known) for name in names)
    raise DataError(
        f"{str(path)!r} has no column for {role}; its first line is {some_of(names, 20) or 'empty'}"
        + next(filter(None, hints), ""),
        expected=f"names of columns first, with one of {', '.join(known)}",
        fix=f"name the column {known[0]!r}, or add a first line such as path,label",
    )


def _entry(path: Path, number: int, row: Sequence[str], columns: _Columns, n_columns: int | None = None) -> Entry:
    if n_columns is not None and len(row) != n_columns:
        raise DataError(
            f"line {number} of {str(path)!r} has {len(row)} cells: {some_of(row)}",
            expected=f"{n_columns} cells, as many as the first line names",
            fix="mend the line; put cells that hold the delimiter in double quotes",
        )
    picture, label = row[columns.picture], row[columns.label].strip()
    if not (picture and label):
        raise DataError(
            f"line {number} of {str(path)!r} has no {'label' if picture else 'picture'}: {some_of(row)}",
            expected="a picture and a label in every line",
            fix="fill the cell, or remove the line",
        )
    return Entry(picture, label, -1 if columns.part < 0 else _part(path, number, row[columns.part]))


def _part(path: Path, number: int, cell: str) -> int:
    word = cell.strip().lower()
    if word and word not in PART_NAMES:
        raise DataError(
            f"line {number} of {str(path)!r} names the part {cell!r}{nearest(word, PART_NAMES)}",
            expected="train, val (or valid, validation), test, or an empty cell where heldout shall choose",
            fix="use one of these words",
        )
    return PART_NAMES[word] if word else -1
