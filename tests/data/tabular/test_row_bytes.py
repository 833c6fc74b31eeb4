import numpy as np
import pyarrow as pa
import pytest

from heldout.data.tabular import row_bytes
from heldout.data.tabular.row_bytes import equal_rows, row_records, row_sha256s
from heldout.data.tabular.table_files import read_table


def test_equal_rows_are_those_with_equal_cells() -> None:
    generator = np.random.default_rng(0)
    numbers, words = generator.integers(0, 6, 400), generator.integers(0, 5, 400)
    table = read_table(
        {
            "x": [None if n == 5 else n / 2 for n in numbers.tolist()],
            "y": [None if w == 4 else f"w{w}" for w in words.tolist()],
            "z": pa.array((numbers // 3).tolist(), pa.timestamp("s")),
        }
    )
    found = equal_rows(table)
    expected = np.unique(numbers * 10 + words, return_inverse=True)[1]
    assert np.array_equal(found[:, None] == found, expected[:, None] == expected)
    assert found[0] == 0
    firsts = np.unique(found, return_index=True)[1]
    assert np.all(np.diff(firsts) > 0)
    # Hashes of rows part them in the same way.
    hashes = np.unique(row_sha256s(table), return_inverse=True)[1]
    assert np.array_equal(hashes[:, None] == hashes, expected[:, None] == expected)


def test_zero_and_minus_zero_are_one_and_an_empty_cell_is_no_zero() -> None:
    table = read_table({"x": [0.0, -0.0, None, float("nan")]})
    assert equal_rows(table).tolist() == [0, 0, 1, 1]
    assert len(set(row_sha256s(table))) == 2


def test_whole_numbers_that_float64_cannot_hold_are_told_apart() -> None:
    table = read_table({"x": [2**53, 2**53 + 1, -(2**63), 2**63 - 1]})
    assert len(set(row_sha256s(table))) == 4


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_table({"x": range(10), "y": [f"w{i % 3}" for i in range(10)]})
    whole = b"".join(records.tobytes() for records in row_records(table))
    rows = [b"".join(records.tobytes() for records in row_records(table.slice(i, 1))) for i in range(10)]
    assert b"".join(rows) == whole
    assert len(whole) == 10 * (9 + 33)
    monkeypatch.setattr(row_bytes, "_BLOCK_BYTES", 100)
    assert [records.shape for records in row_records(table)] == [(2, 42)] * 5
    assert b"".join(records.tobytes() for records in row_records(table)) == whole
