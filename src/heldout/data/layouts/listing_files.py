"""The file of a listing -> its entries, one a picture.

- `.csv`, `.tsv`: a first line of column names, parted by comma, semicolon or tab.
- `.parquet`: the same columns, of strings or whole numbers.
- `.txt`, `.lst`, `.list`: lines of `picture label`, parted at the last blank, so that a picture's name may
  hold blanks; empty lines and lines that begin with # are passed over.

Everything is read as text: `NA`, `null`, `007`, `1e3` and `no` are classes like any other. Blanks around a
label are dropped. An error names the line.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TextIO

from heldout.data.examples import PART_NAMES, some_of
from heldout.data.groups import is_column
from heldout.data.storage.sources import Source
from heldout.data.storage.walking import reading
from heldout.errors import DataError, nearest

PICTURE_COLUMNS = ("path", "file", "filename", "image", "picture")
LABEL_COLUMNS = ("label", "class", "target")
PART_COLUMNS = ("split", "part")
_TEXT_SUFFIXES = frozenset({".txt", ".lst", ".list"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})


class Entry(NamedTuple):
    """What a listing says of one picture.

    `part` is an index into PARTS, or -1 where it does not say; `group` is None where no column was asked for.
    """

    picture: str
    label: str
    part: int
    group: str | None = None


class _Columns(NamedTuple):
    """Which columns hold what, by position; `part` and `group` are -1 where there is none."""

    picture: int
    label: int
    part: int
    group: int = -1


def read_entries(source: Source, name: str, group_by: str = "") -> Iterator[Entry]:
    """The entries of a listing in its own order, read as they are asked for.

    Args:
        source: Holds the listing.
        name: Of the listing.
        group_by: The column that names groups, if it is one of this listing (`groups.py` has the rest).

    Raises:
        DataError: Not a listing of a known kind, a line cannot be understood, or `group_by` can only be the name of
            a column and there is none of that name.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _TEXT_SUFFIXES:
        return _text_entries(source, name)
    if suffix in TABLE_SUFFIXES:
        return _table_entries(source, name, group_by)
    if suffix in PARQUET_SUFFIXES:
        return _parquet_entries(source, name, group_by)
    raise DataError(
        f"{source.path_of(name)!r} is a file of unknown kind ({suffix or 'no suffix'})",
        expected="a folder of class folders, a listing that ends in .csv, .tsv, .parquet or .txt, or an archive that "
        "ends in .zip, .tar, .tar.gz or .tgz",
        fix="unpack it first if it is another archive; pass the folder if it is one of the pictures",
    )


def _text_entries(source: Source, name: str) -> Iterator[Entry]:
    path = source.path_of(name)
    with _open_text(source, name) as file:
        for number, line in enumerate(file, start=1):
            words = line.rsplit(None, 1)
            if not words or line.lstrip().startswith("#"):
                continue
            if len(words) == 1:
                raise DataError(
                    f"line {number} of {path!r} has a picture but no label: {line.strip()[:80]!r}",
                    expected="lines of `picture label`",
                    fix="add the label; if commas part the columns, name them in a first line and call the file .csv",
                )
            yield Entry(words[0].strip(), words[1], -1)


def _table_entries(source: Source, name: str, group_by: str) -> Iterator[Entry]:
    path = source.path_of(name)
    with _open_text(source, name, newline="") as file:
        header = file.readline()
        # Names of columns hold no delimiter, so the one that occurs most is it.
        delimiter = max(",;\t", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])
        columns = _find_columns(path, names, group_by)
        rows = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            for row in rows:
                if row:
                    yield _entry(path, rows.line_num + 1, row, columns, n_columns=len(names))
        except csv.Error as error:
            raise DataError(
                f"line {rows.line_num + 1} of {path!r} cannot be read: {error}",
                expected="rows of cells, each opening quote with its closing one",
                fix="mend the line",
            ) from error


def _parquet_entries(source: Source, name: str, group_by: str) -> Iterator[Entry]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = source.path_of(name)
    try:
        with reading(path), source.open(name) as opened, pq.ParquetFile(opened) as file:
            schema = file.schema_arrow
            columns = _find_columns(path, schema.names, group_by)
            wanted = sorted({i for i in columns if i >= 0})
            # Where each column stands among those that are read.
            read = _Columns(*(wanted.index(i) if i >= 0 else -1 for i in columns))
            names = [schema.names[i] for i in wanted]
            for column in names:
                _check_type(path, column, schema.field(column).type)
            number = 0
            for batch in file.iter_batches(columns=names):
                # The batch's columns stand in the file's order, whatever was asked.
                cells = [batch.column(column).to_pylist() for column in names]
                for row in zip(*cells, strict=True):
                    number += 1
                    text = ["" if cell is None else str(cell) for cell in row]
                    yield _entry(path, number, text, read)
    except (pa.ArrowException, UnicodeDecodeError) as error:  # Arrow does not look whether strings are UTF-8
        raise DataError(
            f"{path!r} cannot be read as Parquet: {error}",
            expected="a whole Parquet file",
            fix="write the file again",
        ) from error


def _check_type(path: str, name: str, kind: Any) -> None:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if not (
        types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_integer(kind)
    ):
        raise DataError(
            f"the column {name!r} of {path!r} is of type {kind}",
            expected="pictures as paths in a string column, labels as strings or whole numbers",
            fix="write the column as strings",
        )


@contextmanager
def _open_text(source: Source, name: str, newline: str | None = None) -> Iterator[TextIO]:
    path = source.path_of(name)
    try:
        with reading(path), source.open(name) as opened:
            yield io.TextIOWrapper(opened, encoding="utf-8-sig", newline=newline)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path!r} is no UTF-8 text (byte {error.object[error.start]:#04x}: {error.reason})",
            expected="a listing in UTF-8",
            fix="save it as UTF-8, for example with iconv -t UTF-8",
        ) from error


def _find_columns(path: str, names: Sequence[str], group_by: str) -> _Columns:
    return _Columns(
        _find_column(path, names, PICTURE_COLUMNS, "the picture"),
        _find_column(path, names, LABEL_COLUMNS, "the label"),
        _find_column(path, names, PART_COLUMNS, "") if _matching(names, PART_COLUMNS) else -1,
        _find_group_column(path, names, group_by) if group_by else -1,
    )


def _find_group_column(path: str, names: Sequence[str], group_by: str) -> int:
    """Where the column stands; -1 where there is none and `group_by` may be an expression."""
    stripped = [name.strip() for name in names]
    if group_by in stripped:
        return stripped.index(group_by)
    if not is_column(group_by):
        return -1
    raise DataError(
        f"{path!r} has no column {group_by!r} to group by{nearest(group_by, stripped)}",
        expected=f"one of its columns: {some_of(stripped, 20)}; or a regular expression on the path",
        fix="name one of them",
    )


def _matching(names: Sequence[str], known: Sequence[str]) -> list[int]:
    return [i for i, name in enumerate(names) if name.strip().lower() in known]


def _find_column(path: str, names: Sequence[str], known: Sequence[str], role: str) -> int:
    found = _matching(names, known)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{path!r} has {len(found)} columns for one thing: {some_of([names[i] for i in found])}",
            expected=f"exactly one of {', '.join(known)}",
            fix="rename or remove the others",
        )
    hints = (nearest(name.strip().lower(), known) for name in names)
    raise DataError(
        f"{path!r} has no column for {role}; its first line is {some_of(names, 20) or 'empty'}"
        + next(filter(None, hints), ""),
        expected=f"names of columns first, with one of {', '.join(known)}",
        fix=f"name the column {known[0]!r}, or add a first line such as path,label",
    )


def _entry(path: str, number: int, row: Sequence[str], columns: _Columns, n_columns: int | None = None) -> Entry:
    if n_columns is not None and len(row) != n_columns:
        raise DataError(
            f"line {number} of {path!r} has {len(row)} cells: {some_of(row)}",
            expected=f"{n_columns} cells, as many as the first line names",
            fix="mend the line; put cells that hold the delimiter in double quotes",
        )
    picture, label = row[columns.picture], row[columns.label].strip()
    if not (picture and label):
        raise DataError(
            f"line {number} of {path!r} has no {'label' if picture else 'picture'}: {some_of(row)}",
            expected="a picture and a label in every line",
            fix="fill the cell, or remove the line",
        )
    part = -1 if columns.part < 0 else _part(path, number, row[columns.part])
    return Entry(picture, label, part, None if columns.group < 0 else row[columns.group].strip())


def _part(path: str, number: int, cell: str) -> int:
    word = cell.strip().lower()
    if word and word not in PART_NAMES:
        raise DataError(
            f"line {number} of {path!r} names the part {cell!r}{nearest(word, PART_NAMES)}",
            expected="train, val (or valid, validation), test, or an empty cell where heldout shall choose",
            fix="use one of these words",
        )
    return PART_NAMES[word] if word else -1
