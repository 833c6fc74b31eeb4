import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from heldout.data.examples import PARTS, Examples
from heldout.data.layouts.photos import find_photos
from heldout.errors import DataError


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def found(examples: Examples) -> dict[str, tuple[str, str]]:
    columns = zip(examples.ids, examples.labels, examples.given, strict=True)
    return {id_: (examples.classes[label], PARTS[part] if part >= 0 else "") for id_, label, part in columns}


def test_a_csv_with_parts(tmp_path: Path) -> None:
    write(tmp_path, "in/b.jpg", "in/a.jpg", "jpg/c.jpg")
    (tmp_path / "l.csv").write_text("path,label,split\nin/b.jpg,dog,train\nin/a.jpg,cat,val\nc.jpg,NA,test\n")
    examples = find_photos(tmp_path / "l.csv")
    assert found(examples) == {
        "in/a.jpg": ("cat", "validation"),
        "in/b.jpg": ("dog", "train"),
        "jpg/c.jpg": ("NA", "test"),
    }
    assert examples.source.name == str(tmp_path)
    assert examples.layout == "listing"


def test_a_parquet_listing(tmp_path: Path) -> None:
    write(tmp_path, "b.jpg", "a.jpg")
    pq.write_table(pa.table({"file": ["b.jpg", "a.jpg"], "class": [10, 9]}), tmp_path / "l.parquet")
    assert found(find_photos(tmp_path / "l.parquet")) == {"a.jpg": ("9", ""), "b.jpg": ("10", "")}


def test_the_write_ups_layout(tmp_path: Path) -> None:
    write(tmp_path, *(f"jpg/image_0000{i}.jpg" for i in range(1, 7)))
    (tmp_path / "trainfile.txt").write_text("image_00001.jpg 0\nimage_00002.jpg 76\n")
    (tmp_path / "valfile.txt").write_text("jpg/image_00003.jpg 0\nimage_00004.jpg 76\n")
    (tmp_path / "testfile.txt").write_text("image_00005.jpg 0\nimage_00006.jpg 76\n")
    parts = ["train", "train", "validation", "validation", "test", "test"]
    assert found(find_photos(tmp_path)) == {
        f"jpg/image_0000{i}.jpg": ("76" if i % 2 == 0 else "0", part) for i, part in enumerate(parts, start=1)
    }


def test_one_of_the_write_ups_files_is_a_listing_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "jpg/a.jpg", "jpg/b.jpg")
    (tmp_path / "trainfile.txt").write_text("a.jpg 0\nb.jpg 1\n")
    assert found(find_photos(tmp_path / "trainfile.txt")) == {"jpg/a.jpg": ("0", ""), "jpg/b.jpg": ("1", "")}


def test_the_listings_folder_comes_before_jpg(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "jpg/a.jpg", "b.jpg")
    (tmp_path / "l.txt").write_text("a.jpg 0\nb.jpg 1\n")
    assert find_photos(tmp_path / "l.txt").ids == ("a.jpg", "b.jpg")


def test_pictures_may_lie_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, "photos/one/a.jpg", "photos/two/b.jpg", "lists/c.jpg")
    listing = tmp_path / "lists/l.csv"
    listing.write_text(f"path,label\n{tmp_path}/photos/one/a.jpg,x\n../photos/two/b.jpg,y\n")
    examples = find_photos(listing)
    assert examples.source.name == str(tmp_path / "photos")
    assert examples.ids == ("one/a.jpg", "two/b.jpg")
    assert examples.source.why_no_file("one/a.jpg") == ""
    listing.write_text(f"path,label\n{tmp_path}/photos/one/a.jpg,x\nc.jpg,y\n")
    assert find_photos(listing).ids == ("lists/c.jpg", "photos/one/a.jpg")


def test_a_picture_listed_twice_alike_is_taken_once_and_named(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "l.txt").write_text("a.jpg x\n./a.jpg x\nb.jpg y\n")
    examples = find_photos(tmp_path / "l.txt")
    assert examples.ids == ("a.jpg", "b.jpg")
    assert [(thing.name, thing.reason) for thing in examples.passed_over] == [
        ("a.jpg", "listed again with the same label")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n", "names no picture"),
        ("path,label\na.jpg,x\nA.jpg,y\n", r"1 of 2 pictures that .* names are absent: 'A.jpg \(not there\)'"),
        ("path,label\na.jpg,x\nsub,y\n", r"1 of 2 .* absent: 'sub \(a folder\)'"),
        ("path,label\na.jpg,x\npipe.jpg,y\n", r"1 of 2 .* absent: 'pipe.jpg \(a named pipe\)'"),
        ("path,label\na.jpg,x\nb\0.jpg,y\n", r"absent: 'b\\x00.jpg \(not a possible file name\)'"),
        ("path,label\n" + "".join(f"no{i}.jpg,x\n" for i in range(9)), r"9 of 9 .* 'no4.jpg \(not there\)' and 4 more"),
        (
            "path,label\na.jpg,x\na.jpg,y\n",
            "1 pictures again with another label, part or group: \"a.jpg: 'x' and 'y'\"",
        ),
        ("path,label,split\na.jpg,x,train\na.jpg,x,test\n", "\"a.jpg: 'x' in train and 'x' in test\""),
        ("path,label,split\na.jpg,x,test\nb.jpg,y,val\n", "all 2 pictures into test and validation, none into train"),
        ("path,label\na.jpg,x\nb.jpg,x\n", "one class only, 'x'"),
        ("path,label\na.jpg,x\nb.jpg,X\n", "'X' and 'x' .* differ only in case"),
    ],
)
@pytest.mark.timeout(20)
def test_listings_that_cannot_be_used_are_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "a.jpg", "b.jpg", "sub/c.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        find_photos(tmp_path / "l.csv")


def test_part_listings_without_training_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "jpg/a.jpg", "jpg/b.jpg")
    (tmp_path / "testfile.txt").write_text("a.jpg 0\nb.jpg 1\n")
    with pytest.raises(DataError, match="all 2 pictures into test, none into train"):
        find_photos(tmp_path)


def test_a_picture_in_two_part_listings_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "jpg/a.jpg", "jpg/b.jpg")
    (tmp_path / "trainfile.txt").write_text("a.jpg 0\nb.jpg 1\n")
    (tmp_path / "testfile.txt").write_text("jpg/a.jpg 0\n")
    with pytest.raises(DataError, match=r"jpg/a.jpg: '0' in train and '0' in test"):
        find_photos(tmp_path)
