import math

import pyarrow as pa
import pytest

from heldout.data.tabular.column_values import as_number, as_seconds, dates_of, numbers_of, words_of
from heldout.data.tabular.table_files import read_table


def column(values: object, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return read_table({"x": pa.array(values, kind)}).column("x")


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, 2**62], pa.int64(), [1.0, math.nan, 2.0**62]),
        ([0.5, math.nan, math.inf], None, [0.5, math.nan, math.inf]),
        ([True, None], None, [1.0, math.nan]),
        ([None, None], None, [math.nan, math.nan]),
        (["1", " 2 ", "x", "", None, "nan", "-inf"], None, [1, 2, *[math.nan] * 4, -math.inf]),
        ([1, None], pa.timestamp("s", tz="Europe/Berlin"), [1.0, math.nan]),
        ([1], pa.date32(), [86_400.0]),
    ],
    ids=str,
)
def test_every_plain_column_is_read_as_numbers(values: object, kind: pa.DataType | None, expected: list[float]) -> None:
    assert numbers_of(column(values, kind)).tolist() == pytest.approx(expected, nan_ok=True)


def test_words_are_stripped_and_merged_over_chunks() -> None:
    chunks = pa.chunked_array([["b", " a", None], ["a", "", "c "]])
    found = words_of(chunks)
    assert found.words == ("b", "a", "c")
    assert found.codes.tolist() == [0, 1, -1, 1, -1, 2]


def test_dates_are_read_in_iso_8601_alone() -> None:
    words = column(["1970-01-02", "1970-01-01T01:00:00+01:00", "01.02.1970", "20200101", None])
    assert dates_of(words).tolist() == pytest.approx([86_400.0, 0.0, *[math.nan] * 3], nan_ok=True)
    assert as_seconds("0001-01-01") < -6e10


def test_a_number_of_any_length_is_read_in_no_time() -> None:
    assert as_number("9" * 100_000) == math.inf
    assert as_number("-1e400") == -math.inf
