"""A text file of rows -> an Arrow table, at pyarrow's speed.

Two kinds are known:

- cells parted by comma, semicolon or tab, whichever occurs most in the first line. The first line names the columns,
  unless half of its cells or more are numbers. With semicolons, numbers may have a decimal comma.
- cells parted by blanks, for files that end neither in .csv nor in .tsv and have no such sign in their first line.
  There the first line names the columns only if it has no number and the second line has one.

Columns without names are called column_1, column_2 and so on. Text is UTF-8, with or without a mark at its beginning,
or UTF-16 with one; `.gz` is unpacked in memory. What pyarrow takes for missing in a column of numbers, such as an
empty cell or NA, is missing; in a column of words they are words.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.data.examples import some_of
from heldout.data.storage.walking import reading
from heldout.data.tabular.text_files import Text, look_through, single_blanks
from heldout.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_DELIMITED_SUFFIXES = frozenset({".csv", ".tsv"})
# No row may be longer. pyarrow asks for a block that holds a whole row, and 1 MiB is its own default.
_BLOCK_BYTES = (2**20, 2**26)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a text is parted into cells: `delimiter` is a blank for any number of blanks."""

    delimiter: str
    names: tuple[str, ...]
    raw_names: tuple[str, ...]
    has_header: bool
    decimal_point: str = "."


def read_text(path: Path, as_text: Sequence[str]) -> "pa.Table":
    """The table that a text file holds.

    Args:
        path: A regular file.
        as_text: Columns, by name, position from 1 or "last" (`position_of`), whose cells stay as they are written.

    Raises:
        DataError: It is no text of rows of equal length; says where.
    """
    text = look_through(path)
    layout = _layout_of(text, path)
    if layout.delimiter == " ":
        text = single_blanks(text)
    table = _parsed(text, layout, as_text)
    _check_last_cell(text, layout, table)
    return table.rename_columns(list(layout.names))


def position_of(names: Sequence[str], wanted: str) -> int:
    """Which column is meant, or -1: by its name, and where columns have no names by position from 1 or "last".

    Example:
        >>> position_of(("age", "label"), "label"), position_of(("column_1", "column_2"), "last")
        (1, 1)
    """
    if wanted in names:
        return list(names).index(wanted)
    if has_no_names(names):
        if wanted == "last":
            return len(names) - 1
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 and 1 <= int(wanted) <= len(names):
            return int(wanted) - 1
    return -1


def unnamed(n_columns: int) -> tuple[str, ...]:
    """The names of columns that have none.

    Example:
        >>> unnamed(2)
        ('column_1', 'column_2')
    """
    return tuple(f"column_{number}" for number in range(1, n_columns + 1))


def has_no_names(names: Sequence[str]) -> bool:
    """Whether the names are those that are given to columns without names."""
    return tuple(names) == unnamed(len(names))


def _layout_of(text: Text, path: Path) -> _Layout:
    body = text.head.lstrip("\r\n")
    if not body.strip():
        raise DataError(
            f"{text.path!r} is empty", expected="names of columns in the first line, then rows", fix="check the path"
        )
    suffix = Path(path.name.removesuffix(".gz").removesuffix(".GZ")).suffix.lower()
    first = re.split(r"\r\n|\r|\n", body, maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    if delimiter not in first:
        delimiter = "," if suffix in _DELIMITED_SUFFIXES else " "
    if delimiter == " ":
        body = re.sub(r"\A(?:#[^\r\n]*[\r\n]+)+", "", body)
    cells, second = _first_rows(text, body, delimiter)
    if not cells or not (second or any(map(_is_number, cells))):
        raise DataError(
            f"{text.path!r} has no row below its first line: {some_of(cells)}",
            expected="rows below the names of the columns",
            fix="check that this is the right file",
        )
    numbers = sum(map(_is_number, cells))
    has_header = numbers == 0 and any(map(_is_number, second)) if delimiter == " " else numbers * 2 < len(cells)
    names = _names(text.path, cells) if has_header else unnamed(len(cells))
    commas = delimiter == ";" and re.search(r"[;\n]-?\d+,\d+[;\r\n]", body) and not re.search(r"\d\.\d", body)
    return _Layout(delimiter, names, tuple(cells), has_header, "," if commas else ".")


def _first_rows(text: Text, body: str, delimiter: str) -> tuple[list[str], list[str]]:
    """The cells of the first two rows that are not empty."""
    if delimiter == " ":
        lines = [line.split() for line in re.split(r"[\r\n]+", body, maxsplit=2)[:2]]
        return lines[0], [*lines, []][1]
    rows = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
    found: list[list[str]] = []
    try:
        for row in rows:
            if row:
                found.append(row)
            if len(found) == 2:
                break
    except csv.Error as error:
        if not found:
            raise DataError(
                f"the first line of {text.path!r} cannot be read: {str(error)[:200]}",
                expected="names of columns, parted by comma, semicolon or tab",
                fix="mend the line",
            ) from error
        found.append([""])
    first, second = [*found, [], []][:2]
    return first, second


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _names(path: str, cells: Sequence[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() or f"column_{number}" for number, cell in enumerate(cells, start=1))
    if any("\ufffd" in name for name in names):
        raise _no_utf8(path, "the names of its columns")
    return names


def _parsed(text: Text, layout: _Layout, as_text: Sequence[str]) -> "pa.Table":
    import pyarrow as pa

    kept = {i for i in (position_of(layout.names, wanted) for wanted in as_text) if i >= 0}
    names = layout.raw_names if layout.has_header else layout.names
    words = {names[i]: pa.string() for i in kept}
    for block_bytes in _BLOCK_BYTES:
        try:
            return _read_csv(text, layout, words, block_bytes, use_threads=True)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) and block_bytes < _BLOCK_BYTES[-1]:
                continue
            raise _not_read(text, layout, words, error) from error
        except UnicodeDecodeError as error:
            raise _no_utf8(text.path, "the names of its columns") from error
    raise AssertionError("the last block size either works or raises")


def _read_csv(text: Text, layout: _Layout, words: dict[str, Any], block_bytes: int, *, use_threads: bool) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    source = text.body if isinstance(text.body, Path) else pa.BufferReader(text.body)
    with reading(text.path):
        return arrow_csv.read_csv(
            source,
            read_options=arrow_csv.ReadOptions(
                use_threads=use_threads,
                block_size=block_bytes,
                column_names=None if layout.has_header else list(layout.names),
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=False if layout.delimiter == " " else '"',
                # Without quotes every line end parts rows, which lets pyarrow cut blocks faster.
                newlines_in_values=text.has_quotes,
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=words, decimal_point=layout.decimal_point),
        )


def _not_read(text: Text, layout: _Layout, words: dict[str, Any], error: Exception) -> DataError:
    """What to say of a text that pyarrow refuses; read again without threads, it says in which row."""
    import pyarrow as pa

    said = str(error)
    try:
        _read_csv(text, layout, words, _BLOCK_BYTES[-1], use_threads=False)
    except pa.ArrowInvalid as again:
        said = str(again)
    if "invalid UTF8" in said or "UTF8 data" in said:
        return _no_utf8(text.path, "a cell")
    if "straddling" in said:
        return DataError(
            f"{text.path!r} has a row of more than {_BLOCK_BYTES[-1]:,} bytes",
            expected="rows of bearable length, each opening quote with its closing one",
            fix="look for a quote that is not closed",
        )
    found = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+): ?(.*)", said, re.DOTALL)
    if not found:
        return DataError(
            f"{text.path!r} cannot be read as a table: {said[:300]}",
            expected="rows of cells, as many in each as the first line has",
            fix="mend the file",
        )
    row, wanted, n_cells, content = found.groups()
    return DataError(
        f"row {int(row):,} of {text.path!r} has {n_cells} {'cell' if n_cells == '1' else 'cells'}: {content[:80]!r}",
        expected=f"{wanted} cells, as many as the first line has (rows count from 1, the first line included)",
        fix="mend the row; put cells that hold the delimiter in double quotes",
    )


def _no_utf8(path: str, where: str) -> DataError:
    return DataError(
        f"{path!r} is no UTF-8 text: {where} cannot be decoded",
        expected="text in UTF-8, or in UTF-16 that begins with its mark",
        fix="save it again in UTF-8, such as by iconv -f latin1 -t utf8",
    )


def _check_last_cell(text: Text, layout: _Layout, table: "pa.Table") -> None:
    """Refuse a quote that is never closed: its cell holds all the rest of the file, and pyarrow does not mind."""
    if not (text.has_quotes and table.num_rows and table.num_columns) or text.last.rstrip().endswith(b'"'):
        return
    cell = table.column(table.num_columns - 1)[table.num_rows - 1].as_py()
    if isinstance(cell, str) and ("\n" in cell or "\r" in cell):
        raise DataError(
            f"row {table.num_rows + layout.has_header:,} of {text.path!r} opens a quote that is never closed: "
            f"{some_of([cell[:60]])}",
            expected="each opening quote with its closing one",
            fix="close the quote, or double a quote that belongs to a cell",
        )
