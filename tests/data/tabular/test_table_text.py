import gzip
from pathlib import Path

import pytest

from heldout.data.tabular import table_text
from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError


def rows(path: Path, content: bytes, *as_text: str) -> dict[str, list[object]]:
    path.write_bytes(content)
    found: dict[str, list[object]] = read_table(path, as_text=as_text).to_pydict()
    return found


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    content = "a,b\n1,x\n2,y\n".replace(",", delimiter).encode()
    assert rows(tmp_path / "t.csv", content) == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    assert rows(tmp_path / "t.csv", "né,b\n1,ü\n".encode(encoding)) == {"né": [1], "b": ["ü"]}


def test_mixed_line_ends_and_blank_lines_part_rows(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.csv", b"a,b\r\n1,2\n\n3,4\r5,6") == {"a": [1, 3, 5], "b": [2, 4, 6]}


def test_a_quoted_cell_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.csv", b'a,b\n1,"x,\n""y"""\n2,"z"') == {"a": [1, 2], "b": ['x,\n"y"', "z"]}


@pytest.mark.parametrize("n", [200_000, 3_000_000])
def test_a_cell_may_be_long(tmp_path: Path, n: int) -> None:
    assert rows(tmp_path / "t.csv", b"a,b\n1," + b"x" * n + b"\n2,y\n")["b"] == ["x" * n, "y"]


def test_words_that_mean_missing_are_words_in_a_column_of_words(tmp_path: Path) -> None:
    content = b"a,b,c\n1,NA,NA\nNaN,null,null\n,None,\n"
    assert rows(tmp_path / "t.csv", content, "c") == {
        "a": [1, None, None],
        "b": ["NA", "null", "None"],
        "c": ["NA", "null", ""],
    }


def test_numbers_beyond_float64_are_infinite(tmp_path: Path) -> None:
    content = b"a\n1e400\n" + b"9" * 5000 + b"\n2\n"
    assert rows(tmp_path / "t.csv", content) == {"a": [float("inf"), float("inf"), 2.0]}


def test_a_csv_whose_first_line_is_numbers_has_no_names(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.csv", b"5.1,3.5,a\n4.9,3,b\n") == {
        "column_1": [5.1, 4.9],
        "column_2": [3.5, 3.0],
        "column_3": ["a", "b"],
    }


def test_a_column_without_a_name_is_called_after_its_position(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.csv", b",x\n7,8\n") == {"column_1": [7], "x": [8]}


def test_decimal_commas_are_read_where_semicolons_part_cells(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.csv", b"a;b\n1,5;x\n-2,25;y\n")["a"] == [1.5, -2.25]


def test_text_parted_by_blanks_has_no_names(tmp_path: Path) -> None:
    content = b"# made by hand\n  0.5   1  0.0 \n-2\t3 1.0\r\n"
    assert rows(tmp_path / "t.txt", content, "last") == {
        "column_1": [0.5, -2.0],
        "column_2": [1, 3],
        "column_3": ["0.0", "1.0"],
    }


def test_text_parted_by_blanks_may_begin_with_names(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.txt", b"x label\n1 a\n2 b\n") == {"x": [1, 2], "label": ["a", "b"]}


def test_a_text_of_words_alone_has_no_names(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.txt", b"red yes\nblue no\n") == {"column_1": ["red", "blue"], "column_2": ["yes", "no"]}


def test_a_packed_text_is_read(tmp_path: Path) -> None:
    assert rows(tmp_path / "t.csv.gz", gzip.compress(b"a,b\n1,2\n")) == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n", "no row below"),
        (b"a,b\n1,2\n3\n", "row 3 of .* has 1 cell: '3'"),
        (b"a,b\n1,2\n1,2,3\n", "row 3 of .* has 3 cells"),
        (b"a,b,a\n1,2,3\n", "more than one column called 'a'"),
        (b"a,b\n1,\x002\n", "NUL byte"),
        ("a,b\n1,2\n".encode("utf-16-le"), "NUL byte"),
        (b"\xff\xfea", "begins as UTF-16 and is none"),
        (b"a,b\n1,\xe9\n", "'b' of .* is of type binary"),
        (b"a\xe9,b\n1,2\n", "no UTF-8 text"),
        (b'a,b\n1,"x\n2,y\n3,z\n', "quote that is never closed"),
        (b'a,b,c\n1,"x,2\n2,y,3\n', "row 2 of .* has 2 cells"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        rows(tmp_path / "t.csv", content)


def test_the_cells_of_labels_are_decoded_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no UTF-8 text: a cell"):
        rows(tmp_path / "t.csv", b"a,b\n1,\xe9\n", "b")


def test_a_text_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unpacks to more than 67,108,864 bytes"):
        rows(tmp_path / "t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 18_000_000, 6))


def test_a_packed_text_that_is_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be unpacked"):
        rows(tmp_path / "t.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-3])


def test_a_row_that_no_block_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_text, "_BLOCK_BYTES", (2**10, 2**12))
    assert rows(tmp_path / "t.csv", b"a,b\n1," + b"x" * 3_000 + b"\n2,y\n")["a"] == [1, 2]
    with pytest.raises(DataError, match="a row of more than 4,096 bytes"):
        rows(tmp_path / "t.csv", b"a,b\n1," + b"x" * 30_000 + b"\n2,y\n")
