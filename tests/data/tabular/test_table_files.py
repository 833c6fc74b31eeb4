import datetime
import decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from heldout.data.tabular import table_files
from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError, UsageError

TABLE = pa.table({"size": [1, 2], "colour": ["red", None]})


def test_files_of_arrow_are_read_alike(tmp_path: Path) -> None:
    pa.parquet.write_table(TABLE, tmp_path / "t.parquet")
    pa.feather.write_feather(TABLE, str(tmp_path / "t.feather"))
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file, pa.ipc.new_stream(file, TABLE.schema) as writer:
        writer.write_table(TABLE)
    for name in ("t.parquet", "t.feather", "t.arrow"):
        assert read_table(tmp_path / name).to_pydict() == TABLE.to_pydict()


def test_every_plain_value_becomes_one_of_five_types() -> None:
    day = datetime.date(2020, 1, 31)
    table = read_table(
        pa.table(
            {
                "small": pa.array([1], pa.uint8()),
                "large": pa.array([2**64 - 1], pa.uint64()),
                "half": pa.array([np.float16(0.5)]),
                "exact": pa.array([decimal.Decimal("1.50")]),
                "word": pa.array(["x"], pa.string_view()),
                "coded": pa.array(["y"]).dictionary_encode(),
                "day": pa.array([day]),
                "hour": pa.array([datetime.time(1, 0)], pa.time32("s")),
                "truth": pa.array([True]),
                "nothing": pa.nulls(1),
            }
        )
    )
    assert set(map(str, table.schema.types)) == {"int64", "double", "large_string", "timestamp[us]", "bool", "null"}
    assert table.to_pylist() == [
        {
            "small": 1,
            "large": 2.0**64,
            "half": 0.5,
            "exact": 1.5,
            "word": "x",
            "coded": "y",
            "day": datetime.datetime(2020, 1, 31),
            "hour": 3600,
            "truth": True,
            "nothing": None,
        }
    ]


def test_a_data_frame_is_read_without_its_index() -> None:
    pd = pytest.importorskip("pandas", reason="statsmodels brings it along")
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": pd.Categorical(["x", "y"])}, index=[7, 9])
    for index in ([7, 9], pd.Index(["yes-1", "no-2"], name="id"), pd.RangeIndex(5, 7, name="row")):
        assert read_table(frame.set_axis(index)).to_pydict() == {"a": [1.0, None], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": [1, "x"]}, "the table cannot be read"),
        ({"a": [1], "b": [1, 2]}, "length 1 but got length 2"),
        ({"a": [[1]]}, "'a' of the table is of type list"),
        ({}, "no column"),
        ({"a": []}, "no row"),
        ("s3://key:secret@bucket/t.csv", "'s3://bucket/t.csv' is an address"),
        ("/dev/zero", "is a character device"),
        ("/", "is a folder"),
    ],
    ids=str,
)
def test_what_holds_no_plain_rows_is_refused(data: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(data)


def test_a_name_that_is_nearly_right_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r'did you mean "points\.csv"'):
        read_table(tmp_path / "point.csv")


def test_something_else_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="type int"):
        read_table(5)


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_a_damaged_file_is_refused_or_read_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet":
        pa.parquet.write_table(TABLE, path)
    else:
        pa.feather.write_feather(TABLE, str(path), compression="uncompressed")
    whole = path.read_bytes()
    refused = 0
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="cannot be read"):
            read_table(path)
        path.write_bytes(whole[:length] + b"\xff" + whole[length + 1 :])
        try:
            read_table(path)
        except DataError:
            refused += 1
    assert refused > 10


def test_a_parquet_file_that_says_too_many_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    n_rows = 200_000
    column = pa.nulls(n_rows)
    pa.parquet.write_table(pa.table({f"c{i}": column for i in range(20)}), path)
    assert read_table(path).num_rows == n_rows
    with pytest.raises(DataError, match="at most 2,000,000,000 cells"):
        table_files._check_size(str(path), 10**9, 20)
