"""A file, or rows that a program holds -> an Arrow table of plain types.

- .csv, .tsv, .txt and whatever else is text: `table_text.py`; these may end in .gz;
- .parquet, .pq; .arrow, .feather, .ipc;
- anything with the Arrow C stream (pandas, polars, duckdb), an Arrow table, or a dict of columns.

Plain types are bool, int64, float64, large_string and timestamp in microseconds (UTC), and null for a column without
any value: whatever a column was stored as, it becomes one of these, so nothing above has more to tell apart.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.data.examples import some_of
from heldout.data.storage.remote import local_path, without_secrets
from heldout.data.storage.walking import reading, why_no_file
from heldout.data.tabular.table_text import read_text
from heldout.errors import DataError, UsageError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

_PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
_ARROW_SUFFIXES = frozenset({".arrow", ".feather", ".ipc"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".dat", ".data"}) | _PARQUET_SUFFIXES | _ARROW_SUFFIXES
# 16 GB as float64: a small Parquet file can say that it has any number of rows (assumed).
_MAX_CELLS = 2 * 10**9
_KINDS = (
    "a table (.csv, .tsv, .txt, .parquet, .arrow; text may end in .gz), or in Python anything that speaks Arrow "
    "(pandas, polars, duckdb, pyarrow), or a dict of columns"
)


def read_table(data: str | Path | object, *, name: str = "", as_text: Sequence[str] = ()) -> "pa.Table":
    """The rows of a file, or of an object that speaks Arrow, as a table of plain types.

    Args:
        data: The path of a file, or the rows themselves.
        name: How messages call rows that have no path; empty for "the table".
        as_text: Columns of a text file whose cells are to stay as they are written, such as the labels: by name, or
            where columns have no names by position from 1 or "last". In other files types are what they are.

    Raises:
        DataError: There is no such file, or it holds no table of plain cells with at least one row.
        UsageError: `data` is nothing that rows can be read from.

    Example:
        >>> read_table({"size": [1, 2], "colour": ["red", None]}).schema.types
        [DataType(int64), DataType(large_string)]
    """
    shown = shown_name(data, name)
    table = _read_file(_file_of(data), as_text) if isinstance(data, str | Path) else _of_object(data, shown)
    names = _column_names(table, shown)
    if not table.num_rows:
        raise DataError(
            f"{shown} has columns and no row: {some_of(names)}",
            expected="rows below the names of the columns",
            fix="check that this is the right file",
        )
    return _plain(table.rename_columns(names), shown)


def shown_name(data: object, name: str = "") -> str:
    """How messages call a table.

    Example:
        >>> shown_name("a.csv"), shown_name({}, "test"), shown_name({})
        ("'a.csv'", "the table 'test'", 'the table')
    """
    if isinstance(data, str | Path):
        return repr(without_secrets(str(data)))
    return f"the table {name!r}" if name else "the table"


def _file_of(data: str | Path) -> Path:
    path = local_path(data)
    if path is None:
        raise DataError(
            f"{without_secrets(str(data))!r} is an address",
            expected="a table on this machine",
            fix="copy the file here first",
        )
    reason = why_no_file(path)
    if reason == "not there":
        with reading(path):
            beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(
            f"{str(path)!r} does not exist{nearest(path.name, beside)}",
            expected=_KINDS,
            fix="check the spelling and the folder you are in",
        )
    if reason:
        raise DataError(f"{str(path)!r} is {reason}", expected=_KINDS, fix="pass the path of the file itself")
    return path


def _read_file(path: Path, as_text: Sequence[str]) -> "pa.Table":
    import pyarrow as pa

    suffix = path.suffix.lower()
    if suffix not in _PARQUET_SUFFIXES | _ARROW_SUFFIXES:
        return read_text(path, as_text)
    kind = "Parquet" if suffix in _PARQUET_SUFFIXES else "Arrow"
    with _whole(repr(str(path)), f"a whole {kind} file", "write the file again"), reading(path):
        table = _read_parquet(path) if kind == "Parquet" else _read_arrow(path)
        table.validate(full=True)  # strings may be no UTF-8, and offsets may lead anywhere
    assert isinstance(table, pa.Table)
    return table


def _read_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        _check_size(str(path), file.metadata.num_rows, file.metadata.num_columns)
        return file.read()


def _read_arrow(path: Path) -> Any:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file:
        is_stream = file.read(6) != b"ARROW1"
        file.seek(0)
        with (pa.ipc.open_stream if is_stream else pa.ipc.open_file)(file) as reader:
            return reader.read_all()


def _check_size(path: str, n_rows: int, n_columns: int) -> None:
    if n_rows * n_columns > _MAX_CELLS:
        raise DataError(
            f"{path!r} says that it has {n_rows:,} rows of {n_columns:,} columns",
            expected=f"at most {_MAX_CELLS:,} cells, which are held in memory",
            fix="leave out columns, or take a random sample of the rows",
        )


def _of_object(data: object, shown: str) -> "pa.Table":
    import pyarrow as pa

    expected = "columns of one type each: numbers, words, truth values or times"
    with _whole(shown, expected, "convert the columns that are of several types"):
        if isinstance(data, pa.Table):
            data.validate(full=True)
            return data
        if isinstance(data, Mapping):
            return pa.table({str(key): values for key, values in data.items()})
        if hasattr(data, "__arrow_c_stream__"):
            table = pa.table(data)
            # The index of pandas is a row's number or name, and no feature. Its own names are texts.
            index = (table.schema.pandas_metadata or {}).get("index_columns", ())
            return table.drop_columns([name for name in index if isinstance(name, str) and name in table.schema.names])
    raise UsageError(f"{shown} is of type {type(data).__name__}", expected=_KINDS, fix="pass a path or a data frame")


@contextmanager
def _whole(shown: str, expected: str, fix: str) -> Iterator[None]:
    """Turns what pyarrow refuses inside the block into a `DataError`; want of memory stays what it is."""
    import pyarrow as pa

    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, UnicodeDecodeError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown} cannot be read: {str(error).strip()[:300]}", expected=expected, fix=fix) from error


def _column_names(table: "pa.Table", shown: str) -> list[str]:
    with _whole(shown, "names of columns in UTF-8", "rename the columns"):
        names = [str(name) or f"column_{number}" for number, name in enumerate(table.schema.names, start=1)]
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise DataError(
            f"{shown} has more than one column called {some_of(twice)}",
            expected="a name of its own for each column",
            fix="rename one of them, or remove it",
        )
    if not names:
        raise DataError(f"{shown} has no column", expected="columns with names", fix="check the file")
    return names


def _plain(table: "pa.Table", shown: str) -> "pa.Table":
    import pyarrow as pa

    columns = [_plain_column(table.column(i), name, shown) for i, name in enumerate(table.schema.names)]
    return pa.table(columns, names=table.schema.names)


def _plain_column(column: "pa.ChunkedArray", name: str, shown: str) -> "pa.ChunkedArray":
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    target = _plain_type(kind)
    if target is None:
        raise DataError(
            f"the column {name!r} of {shown} is of type {kind}",
            expected="numbers, words, truth values, dates or times; text in UTF-8",
            fix="save the file again in UTF-8" if types.is_binary(kind) else "write its parts as columns of their own",
        )
    if kind == target:
        return column
    with _whole(f"the column {name!r} of {shown}", f"values that {target} can hold", "mend or remove the column"):
        if types.is_time(kind) or types.is_duration(kind):
            # As a number of the unit that it is stored in.
            return column.cast(pa.int32() if types.is_time32(kind) else pa.int64()).cast(target)
        return column.cast(target, safe=False)


def _plain_type(kind: Any) -> Any:
    """The plain type that a type becomes; None where there is none."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_boolean(kind) or types.is_null(kind):
        return kind
    if types.is_integer(kind):
        return pa.float64() if kind == pa.uint64() else pa.int64()
    if types.is_floating(kind) or types.is_decimal(kind):
        return pa.float64()
    if types.is_time(kind) or types.is_duration(kind):
        return pa.int64()
    if types.is_timestamp(kind) or types.is_date(kind):
        return pa.timestamp("us")
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.large_string()
    return None
