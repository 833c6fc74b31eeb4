"""The files of one table: which column is meant, whether their columns agree, and each column of all of them in one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heldout.data.examples import PARTS, some_of
from heldout.data.storage.remote import without_secrets
from heldout.data.storage.walking import printable
from heldout.data.tabular.table_files import read_table, shown_name
from heldout.data.tabular.table_text import has_no_names, position_of
from heldout.errors import DataError, nearest

if TYPE_CHECKING:
    import pyarrow as pa


class TableFile(NamedTuple):
    """A file or an object with rows: its name, how messages call it, the beginning of its ids, its rows, its part."""

    name: str
    shown: str
    title: str
    table: "pa.Table"
    part: int


def read_files(given: Sequence[tuple[object, int]], as_text: Sequence[str]) -> list[TableFile]:
    """Files and objects with rows, and the part of each, in the order of their ids.

    Args:
        given: The data and an index into `PARTS`, or -1 for what is no given part; None is passed over.
        as_text: As for `table_files.read_table`.

    Raises:
        DataError: One is no table.
        UsageError: One is nothing that rows can be read from.
    """
    there = [(data, part) for data, part in given if data is not None]
    titles = [_title(data, part) for data, part in there]
    # Files of one name, such as train/rows.csv and test/rows.csv.
    if len(set(titles)) < len(titles):
        words = {-1: "train", **dict(enumerate(PARTS))}
        titles = [f"{words[part]}/{title}" for (_, part), title in zip(there, titles, strict=True)]
    files = []
    for (data, part), title in zip(there, titles, strict=True):
        named = PARTS[part] if part >= 0 else ""
        table = read_table(data, name=named, as_text=as_text)
        shown = shown_name(data, named)
        name = without_secrets(str(data)) if isinstance(data, str | Path) else shown
        files.append(TableFile(name, shown, f"{title}:", table, part))
    return sorted(files, key=lambda file: file.title)


def _title(data: object, part: int) -> str:
    if isinstance(data, str | Path):
        return printable(Path(data).name)
    return PARTS[part] if part >= 0 else "table"


def column_of(file: TableFile, wanted: str, role: str) -> str:
    """The name of the column that is meant by its name, or where there are no names by its position or "last".

    Raises:
        DataError: There is none.
    """
    names = file.table.schema.names
    place = position_of(names, wanted)
    if place >= 0:
        return str(names[place])
    if has_no_names(names):
        raise DataError(
            f"{role} is {wanted!r}, and {file.shown} has {len(names):,} columns without names",
            expected=f"the position of a column, from 1 to {len(names)}, or last",
            fix="pass its position, or put a line with the names of the columns first",
        )
    raise DataError(
        f"{role} is {wanted!r}, and {file.shown} has no column of that name{nearest(wanted, names)}",
        expected=f"one of {some_of(names, 20)}",
        fix="check the spelling; upper and lower case are different",
    )


def check_columns(file: TableFile, main: TableFile) -> None:
    """Refuse a file whose columns are not those of another.

    Raises:
        DataError: Says which it lacks, and which it has more.
    """
    known, found = main.table.schema.names, file.table.schema.names
    in_known, in_found = set(known), set(found)
    missing = [name for name in known if name not in in_found]
    extra = [name for name in found if name not in in_known]
    if not (missing or extra):
        return
    if has_no_names(known) != has_no_names(found):
        named, unnamed = (main, file) if has_no_names(found) else (file, main)
        what = f"the columns of {named.shown} have names and those of {unnamed.shown} have none"
    else:
        parts = [f"lacks {some_of(missing)}"] * bool(missing) + [f"has {some_of(extra)} more"] * bool(extra)
        what = f"{file.shown} {' and '.join(parts)} compared with {main.shown}"
    raise DataError(
        what,
        expected=f"the same {len(known):,} columns in both, in any order",
        fix="write both files with the same columns",
    )


def joined_column(files: Sequence[TableFile], name: str) -> "pa.ChunkedArray":
    """A column of all files in one piece; where their types differ, as float64 or else as words."""
    import pyarrow as pa

    columns = [file.table.column(name) for file in files]
    kinds = {column.type for column in columns} - {pa.null()}
    numeric = {pa.bool_(), pa.int64(), pa.float64()}
    if len(kinds) > 1:
        if kinds <= numeric:
            # Arrow makes no float of a truth value.
            columns = [column.cast(pa.int8()) if column.type == pa.bool_() else column for column in columns]
        kind = pa.float64() if kinds <= numeric else pa.large_string()
    else:
        kind = next(iter(kinds), pa.null())
    chunks = [chunk for column in columns for chunk in column.cast(kind, safe=False).chunks]
    return pa.chunked_array([pa.concat_arrays(chunks)] if chunks else [], kind)
