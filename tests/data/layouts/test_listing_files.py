from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from heldout.data.layouts.listing_files import Entry, read_entries
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError


def entries(path: Path, text: str | bytes) -> list[Entry]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_entries(FolderSource(path.parent), path.name))


def test_text_lines_are_parted_at_the_last_blank(tmp_path: Path) -> None:
    text = "# made by hand\nimage_00001.jpg 77\n\n  my cat 1.jpg\tcat  \r\n#x.jpg 1\nb.jpg   NA\n"
    assert entries(tmp_path / "a.txt", text) == [
        Entry("image_00001.jpg", "77", -1),
        Entry("my cat 1.jpg", "cat", -1),
        Entry("b.jpg", "NA", -1),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_may_be_parted_by_comma_semicolon_or_tab(tmp_path: Path, delimiter: str) -> None:
    rows = [["Part", "FileName", "n", "Label"], ["valid", "a b.jpg", "1", "red rose"], ["", "b.jpg", "2", "007"]]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert entries(tmp_path / "a.csv", text) == [Entry("a b.jpg", "red rose", 1), Entry("b.jpg", "007", -1)]


def test_cells_stay_what_they_are(tmp_path: Path) -> None:
    words = ["NA", "null", "None", "007", "1e3", "no", "nan", "1.0", "=cmd()", "\u65e5\u672c"]
    text = "path,label\n" + "".join(f"{i}.jpg,{word}\n" for i, word in enumerate(words))
    assert [entry.label for entry in entries(tmp_path / "a.csv", text)] == words


def test_quotes_byte_order_mark_and_empty_lines(tmp_path: Path) -> None:
    text = '\ufeffpath, label\r\n"a,1.jpg", "x ""y"""\r\n\r\n"two\nlines.jpg",z\r\n'
    assert entries(tmp_path / "a.csv", text) == [Entry("a,1.jpg", 'x "y"', -1), Entry("two\nlines.jpg", "z", -1)]


@pytest.mark.parametrize("column", ["path", "file", "filename", "image", "picture", " Path "])
@pytest.mark.parametrize("label", ["label", "class", "TARGET"])
def test_columns_by_any_of_their_names(tmp_path: Path, column: str, label: str) -> None:
    assert entries(tmp_path / "a.csv", f"{column},{label}\na.jpg,x\n") == [Entry("a.jpg", "x", -1)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.int64()])
def test_parquet_of_strings_or_whole_numbers(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table(
        {
            "split": ["train", None, "test"],
            "label": pa.array(["7", "12", "7"]).cast(pa.int64()).cast(kind)
            if kind == pa.int64()
            else pa.array(["7", "12", "7"]).cast(kind),
            "path": ["a.jpg", "b.jpg", "c.jpg"],
            "unread": [{"x": 1}, {"x": 2}, {"x": 3}],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert list(read_entries(FolderSource(tmp_path), "a.parquet")) == [
        Entry("a.jpg", "7", 0),
        Entry("b.jpg", "12", -1),
        Entry("c.jpg", "7", 2),
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"path": ["a.jpg"], "label": [1.5]}, "the column 'label' .* is of type double"),
        ({"image": [b"\x89PNG"], "label": ["x"]}, "the column 'image' .* is of type binary"),
        ({"path": ["a.jpg", "b.jpg"], "label": ["x", None]}, "line 2 .* has no label"),
        ({"path": ["a.jpg"], "lable": ["x"]}, r"no column for the label; .* 'path', 'lable'; did you mean \"label\"\?"),
    ],
)
def test_parquet_that_cannot_be_used_is_refused(tmp_path: Path, columns: dict[str, list[object]], message: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message):
        list(read_entries(FolderSource(tmp_path), "a.parquet"))


def test_parquet_whose_strings_are_no_utf8_is_refused(tmp_path: Path) -> None:
    strings = pa.array([b"\xff.jpg"]).view(pa.string())
    pq.write_table(pa.table({"path": strings, "label": ["cat"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet: 'utf-8' codec"):
        list(read_entries(FolderSource(tmp_path), "a.parquet"))


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        entries(tmp_path / "a.parquet", b"PAR1 and no more")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "a.jpg 1\nb.jpg\n", r"line 2 of .* has a picture but no label: 'b.jpg'"),
        ("a.txt", "path,label\n", "a picture but no label"),
        ("a.txt", b"\xff\xfea\x00", r"is no UTF-8 text \(byte 0xff"),
        ("a.csv", b"path,label\na.jpg,caf\xe9\n", r"is no UTF-8 text \(byte 0xe9"),
        ("a.csv", "", "no column for the picture; its first line is empty"),
        ("a.csv", "pth,label\na.jpg,x\n", r"no column for the picture; .*'pth', 'label'; did you mean \"path\"\?"),
        ("a.csv", "path,zzz\na.jpg,x\n", r"no column for the label; its first line is 'path', 'zzz'$"),
        ("a.csv", "a.jpg,cat\nb.jpg,dog\n", "no column for the picture; its first line is 'a.jpg', 'cat'"),
        ("a.csv", "path,label,class\na.jpg,1,cat\n", "2 columns for one thing: 'label', 'class'"),
        ("a.csv", "path,label,label\na.jpg,1,cat\n", "2 columns for one thing: 'label', 'label'"),
        ("a.csv", "path,label\na.jpg,x,y\n", "line 2 of .* has 3 cells: 'a.jpg', 'x', 'y'"),
        ("a.csv", "path,label\n\nb.jpg\n", "line 3 of .* has 1 cells: 'b.jpg'"),
        ("a.csv", "path,label\na.jpg, \n", "line 2 of .* has no label"),
        ("a.csv", "path,label\n,x\n", "line 2 of .* has no picture"),
        ("a.csv", 'path,label\n"a.jpg,x\n', "line 2 of .* cannot be read: unexpected end of data"),
        ("a.csv", "path,label\n" + "a" * 200_000 + ",x\n", "line 2 of .* cannot be read: field larger than"),
        ("a.csv", "path,label,split\na.jpg,x,trian\n", r"names the part 'trian'; did you mean \"train\"\?"),
        ("a.xlsx", "x", r"is a file of unknown kind \(.xlsx\)"),
    ],
)
def test_a_listing_that_cannot_be_understood_is_refused_with_the_line(
    tmp_path: Path, name: str, text: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        entries(tmp_path / name, text)
    assert caught.match(message) if "$" not in message else caught.value.what.endswith("'path', 'zzz'")
    assert str(tmp_path / name) in caught.value.what
