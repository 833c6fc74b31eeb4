"""Between pyarrow and numpy by the memory they share, and without pandas.

`pa.array`, `pa.scalar`, `to_numpy`, `np.asarray` of a column, `take` of a numpy array and `fill_null` with a Python
value all make pyarrow import pandas where that is installed, to see whether what it is given is one of its objects: a
tenth of the time of a whole run on 10,000 points (0.3 s, measured here, 2026-11-23).
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

if TYPE_CHECKING:
    import pyarrow as pa

# Types as pyarrow writes them, whose memory is that of numpy's.
_DTYPES: dict[str, type[np.generic]] = {
    **{f"{sign}int{n_bits}": getattr(np, f"{sign}int{n_bits}") for sign in ("", "u") for n_bits in (8, 16, 32, 64)},
    "float": np.float32,
    "double": np.float64,
}


def numbers_in(column: "pa.ChunkedArray | pa.Array", *, empty: float = 0) -> Shaped[np.ndarray, " cells"]:
    """The cells of a column of whole or floating numbers, in their own type; a view where there is one piece.

    Args:
        column: Its pieces are of one type.
        empty: What stands where there is none.

    Example:
        >>> import pyarrow as pa
        >>> numbers_in(pa.chunked_array([[1.5, None], [2.0]]), empty=-1).tolist()
        [1.5, -1.0, 2.0]
    """
    dtype = np.dtype(_DTYPES[str(column.type)])
    pieces = [_piece(chunk, dtype, empty) for chunk in _chunks(column) if len(chunk)]
    if not pieces:
        return np.empty(0, dtype)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def is_there(column: "pa.ChunkedArray | pa.Array") -> Bool[np.ndarray, " cells"]:
    """Which cells of a column, of any type but null, are not empty.

    Example:
        >>> import pyarrow as pa
        >>> is_there(pa.chunked_array([["a", None], ["b"]])).tolist()
        [True, False, True]
    """
    return np.concatenate([np.empty(0, bool), *(_valid(chunk) for chunk in _chunks(column))])


def arrow_rows(rows: Int[np.ndarray, " rows"]) -> "pa.Array":
    """Positions that `take` of a column or a table understands.

    Example:
        >>> import pyarrow as pa
        >>> pa.chunked_array([["a", "b", "c"]]).take(arrow_rows(np.array([2, 0]))).to_pylist()
        ['c', 'a']
    """
    return arrow_numbers(np.asarray(rows, np.int64))


def arrow_words(words: Sequence[str]) -> "pa.Array":
    """Words as a piece of a column, of type `large_string`.

    Example:
        >>> arrow_words(["no", "", "yés"]).to_pylist()
        ['no', '', 'yés']
    """
    import pyarrow as pa

    text = "".join(words)
    pieces: Sequence[str] | Sequence[bytes] = words if text.isascii() else [word.encode() for word in words]
    ends = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, pieces), np.int64, len(words)), out=ends[1:])
    return pa.Array.from_buffers(pa.large_string(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(text.encode())])


def arrow_numbers(numbers: Shaped[np.ndarray, " cells"]) -> "pa.Array":
    """Whole or floating numbers as a piece of a column, of their own type and in their memory.

    Example:
        >>> arrow_numbers(np.array([1.5, 2.0], np.float32)).type
        DataType(float)
    """
    import pyarrow as pa

    numbers = np.ascontiguousarray(numbers)
    return pa.Array.from_buffers(_arrow_type(numbers.dtype), len(numbers), [None, pa.py_buffer(numbers)])


def arrow_lists(rows: Float[np.ndarray, "rows numbers"]) -> "pa.Array":
    """Rows of equally many numbers as a piece of a column of lists.

    Example:
        >>> arrow_lists(np.array([[0.5, 0.5], [0.25, 0.75]])).to_pylist()
        [[0.5, 0.5], [0.25, 0.75]]
    """
    import pyarrow as pa

    is_large = rows.size > np.iinfo(np.int32).max
    ends = (np.arange(len(rows) + 1) * rows.shape[1]).astype(np.int64 if is_large else np.int32)
    kind = pa.LargeListArray if is_large else pa.ListArray
    return kind.from_arrays(arrow_numbers(ends), arrow_numbers(rows.reshape(-1)))


def arrow_column(values: Any) -> Any:
    """What `pa.array` would make of values; as they are, for pyarrow to look at, unless all are of one common type.

    Example:
        >>> arrow_column(["a", "b"]).type, arrow_column([[0.5], [0.25, 0.25]]).to_pylist(), arrow_column([1, None])
        (DataType(string), [[0.5], [0.25, 0.25]], [1, None])
    """
    import pyarrow as pa

    if isinstance(values, np.ndarray):
        return arrow_numbers(values) if values.ndim == 1 and values.dtype in _DTYPES.values() else values
    types = set(map(type, values)) if isinstance(values, list | tuple) else set()
    if types == {str}:
        return arrow_words(values).cast(pa.string())
    if types == {float}:
        return arrow_numbers(np.array(values))
    if types == {int} and min(values) >= -(2**63) and max(values) < 2**63:
        return arrow_numbers(np.array(values, np.int64))
    if types == {bool}:
        bits = np.packbits(np.array(values), bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])
    if types == {list} and {type(cell) for row in values for cell in row} == {float}:
        ends = np.array([0, *accumulate(map(len, values))], np.int32)
        return pa.ListArray.from_arrays(arrow_numbers(ends), arrow_numbers(np.concatenate(values)))
    return values


def _arrow_type(dtype: np.dtype[Any]) -> Any:
    import pyarrow as pa

    return pa.type_for_alias(next(name for name, known in _DTYPES.items() if dtype == known))


def _chunks(column: Any) -> list[Any]:
    return list(column.chunks) if hasattr(column, "chunks") else [column]


def _piece(chunk: "pa.Array", dtype: np.dtype[Any], empty: float) -> Shaped[np.ndarray, " cells"]:
    cells: Shaped[np.ndarray, " cells"] = np.frombuffer(
        chunk.buffers()[1], dtype, count=len(chunk), offset=chunk.offset * dtype.itemsize
    )
    return np.where(_valid(chunk), cells, dtype.type(empty)) if chunk.null_count else cells


def _valid(chunk: "pa.Array") -> Bool[np.ndarray, " cells"]:
    if not chunk.null_count:
        return np.ones(len(chunk), bool)
    if chunk.null_count == len(chunk):  # one of the type null has no bits for it
        return np.zeros(len(chunk), bool)
    bits = np.unpackbits(np.frombuffer(chunk.buffers()[0], np.uint8), bitorder="little")
    return bits[chunk.offset :][: len(chunk)].view(bool)
