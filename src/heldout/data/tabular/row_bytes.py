"""Rows -> bytes that say what is in them, their hashes, and which rows are equal.

A cell is one byte for its kind and then: nothing but zeros where it is empty, a number as little-endian float64 (a
whole number that float64 cannot hold as int64), a time in microseconds, or the SHA-256 of a word. Cells stand in the
order of their columns' names, so a file whose columns stand in another order has the same rows.
"""

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from heldout.arrow_arrays import is_there, numbers_in
from heldout.data.tabular.column_values import is_words, numbers_of, words_of

if TYPE_CHECKING:
    import pyarrow as pa

_EMPTY, _NUMBER, _WORD, _WHOLE, _TIME = range(5)
_BLOCK_BYTES = 2**26
# Above 2**53 not every whole number is a float64.
_EXACT = 2**53
# Odd multipliers that spread the bits of 64-bit numbers (splitmix64, Steele, Lea and Flood, 2014).
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15))


def row_records(table: "pa.Table") -> Iterator[UInt8[np.ndarray, "rows bytes"]]:
    """The bytes of all rows in their order, in blocks of many rows; all rows of a table have equally many bytes."""
    names = sorted(table.schema.names)
    ends = np.cumsum([0, *(33 if is_words(table.schema.field(name).type) else 9 for name in names)]).tolist()
    step = max(1, _BLOCK_BYTES // max(1, ends[-1]))
    for begin in range(0, table.num_rows, step):
        rows = table.slice(begin, step)
        records = np.empty((rows.num_rows, ends[-1]), np.uint8)
        for name, (first, last) in zip(names, pairwise(ends), strict=True):
            _fill(rows.column(name), records[:, first:last])
        yield records


def row_sha256s(table: "pa.Table") -> list[str]:
    """SHA-256 of the bytes of each row, hexadecimal."""
    hashes: list[str] = []
    for records in row_records(table):
        content, width = records.tobytes(), records.shape[1]
        hashes += [
            hashlib.sha256(content[begin : begin + width]).hexdigest() for begin in range(0, len(content), width)
        ]
    return hashes


def equal_rows(table: "pa.Table") -> Int[np.ndarray, " rows"]:
    """A number a row, equal where all cells are: 0, 1, ... in the order of first appearance.

    Rows are compared by 64-bit hashes: among a million different ones, two are taken for equal once in 37 million
    tables.

    Example:
        >>> import pyarrow as pa
        >>> equal_rows(pa.table({"a": [1.0, 2.0, 1.0], "b": [True, True, True]})).tolist()
        [0, 1, 0]
    """
    hashes = np.zeros(table.num_rows, np.uint64)
    for name in sorted(table.schema.names):
        hashes = _mixed(hashes * _MIX[2] + _mixed(_bits(table.column(name))))
    return numbered(hashes)


def numbered(marks: Shaped[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
    """0, 1, ... in the order of first appearance, equal where the marks are.

    Example:
        >>> numbered(np.array([7, 3, 7])).tolist()
        [0, 1, 0]
    """
    _, first, inverse = np.unique(marks, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _fill(column: "pa.ChunkedArray", cells: UInt8[np.ndarray, "rows bytes"]) -> None:
    """Write the bytes of a column's cells."""
    if is_words(column.type):
        words = words_of(column)
        digests = [bytes([_WORD]) + hashlib.sha256(word.encode()).digest() for word in words.words] + [bytes(33)]
        cells[:] = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 33)[words.codes]
        return
    values, kinds = _values(column)
    cells[:, 0] = kinds
    cells[:, 1:] = values.astype("<i8", copy=False)[:, None].view(np.uint8)


def _values(column: "pa.ChunkedArray") -> tuple[Int[np.ndarray, " rows"], UInt8[np.ndarray, " rows"]]:
    """The eight bytes of each cell as int64, and its kind."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_timestamp(column.type):
        times: Int[np.ndarray, " rows"] = numbers_in(column.cast(pa.int64()))
        return times, np.where(is_there(column), _TIME, _EMPTY).astype(np.uint8)
    numbers = numbers_of(column)
    numbers = np.where(np.isnan(numbers), 0.0, numbers) + 0.0  # -0.0 is 0.0
    kinds = np.where(is_there(column), _NUMBER, _EMPTY).astype(np.uint8)
    if types.is_floating(column.type):
        kinds[np.isnan(numbers_of(column))] = _EMPTY
    values = numbers.view(np.int64)
    if types.is_int64(column.type):
        is_large = np.abs(numbers) >= _EXACT
        if is_large.any():
            kinds[is_large] = _WHOLE
            values = np.where(is_large, numbers_in(column), values)
    return values, kinds


def _bits(column: "pa.ChunkedArray") -> np.ndarray:
    """64 bits a cell, equal where the cells of this column are."""
    if is_words(column.type):
        return words_of(column).codes.astype(np.uint64)
    values, kinds = _values(column)
    bits: np.ndarray = _mixed(values.view(np.uint64)) + kinds
    return bits


def _mixed(bits: np.ndarray) -> np.ndarray:
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX[0]
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX[1]
    mixed: np.ndarray = bits ^ (bits >> np.uint64(31))
    return mixed
