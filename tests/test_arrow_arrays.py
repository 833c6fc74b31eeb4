import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from heldout.arrow_arrays import arrow_column, arrow_numbers, arrow_rows, arrow_words, is_there, numbers_in

TYPES = [pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64()]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_the_numbers_of_a_column_are_those_that_pyarrow_gives(kind: pa.DataType) -> None:
    whole = pa.chunked_array([pa.array([7, 1, 2, 3], kind), pa.array([], kind), pa.array([100, 5], kind)])
    for column in (whole, whole.slice(1, 4), whole.slice(2, 0), whole.chunk(0), whole.chunk(0).slice(3)):
        found = numbers_in(column)
        assert found.dtype == column.to_numpy().dtype
        assert found.tolist() == column.to_pylist()


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_what_stands_where_no_number_is_can_be_chosen(kind: pa.DataType) -> None:
    cells = [None, 4, None, 6, 7, 8, 9, 10, None, 12]
    column = pa.chunked_array([pa.array(cells, kind).slice(1), pa.array([None, 3], kind).slice(0, 1)])
    expected = [cell if cell is not None else 5 for cell in [*cells[1:], None]]
    assert numbers_in(column, empty=5).tolist() == expected
    assert numbers_in(pa.nulls(3, kind), empty=1).tolist() == [1, 1, 1]


def test_which_cells_are_there_is_told_of_every_type() -> None:
    for cells in ([1.5, None, np.nan], ["a", "", None], [True, None, False], [None, None, None, 5], [None, None]):
        column = pa.chunked_array([pa.array(cells), pa.array(cells).slice(1)])
        assert is_there(column).tolist() == column.is_valid().to_pylist()
    assert is_there(pa.chunked_array([], pa.int64())).tolist() == []


@pytest.mark.parametrize(
    "values",
    [
        ["a", "", "ünï", "a" * 1000],
        [1.5, float("nan"), -0.0],
        [True, False, True, True, False, False, True, True, False],
        [[0.25, 0.75], [], [1.0]],
        [1, -2, 3],
        [2**63 - 1, -(2**63)],
        [None, "a"],
        [b"jpeg", b"", None],
        [[0.5, None]],
        [[1, 2], [3]],
        [],
        (),
        ("a", "b"),
        np.arange(5, dtype=np.int16)[::2],
        np.arange(3.0),
        np.array([True, False]),
        np.array(["a", "b"], object),
    ],
    ids=repr,
)
def test_a_column_is_what_pyarrow_would_make_of_it(values: Any) -> None:
    expected = pa.table({"values": values})
    found = pa.table({"values": arrow_column(values)})
    found.validate(full=True)
    assert found.schema == expected.schema
    assert repr(found.to_pydict()) == repr(expected.to_pydict())


def test_rows_and_numbers_are_taken_as_they_lie() -> None:
    column = pa.chunked_array([["a", "b"], ["c"]])
    assert column.take(arrow_rows(np.array([2, 0, 0]))).to_pylist() == ["c", "a", "a"]
    assert column.take(arrow_rows(np.arange(0))).to_pylist() == []
    assert arrow_numbers(np.arange(10, dtype=np.uint16)[::3]).to_pylist() == [0, 3, 6, 9]
    assert arrow_words([]).to_pylist() == []


@pytest.mark.skipif(find_spec("pandas") is None, reason="pandas is not installed")
def test_none_of_it_brings_pandas() -> None:
    code = """
import sys
import numpy as np
import pyarrow as pa
from heldout.arrow_arrays import arrow_column, arrow_rows, arrow_words, is_there, numbers_in
words = pa.chunked_array([arrow_words(["a", "b"])]).take(arrow_rows(np.array([1, 0])))
table = pa.table({str(i): arrow_column(each) for i, each in enumerate(([0.5], ["a"], [True], [[0.5]], np.arange(1)))})
print(numbers_in(table["0"]), is_there(words), table.to_pydict())
assert "pandas" not in sys.modules
pa.array([1])
assert "pandas" in sys.modules  # as long as this holds, the file has its purpose
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
