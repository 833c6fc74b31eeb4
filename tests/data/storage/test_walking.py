import os
import socket
from pathlib import Path

import pytest

from heldout.data.examples import PassedOver
from heldout.data.storage.sources import FolderSource, pictures_below
from heldout.data.storage.walking import leads_back, look_into, printable, reading, why_no_file
from heldout.errors import DataError


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_every_picture_suffix_counts_in_any_case(tmp_path: Path) -> None:
    names = ["a.jpg", "b.JPEG", "c.Png", "d.webp", "e.gif", "f.bmp", "g.tif", "h.TIFF"]
    write(tmp_path, *names, "notes.txt", "jpg", "x.jpg.part")
    contents = look_into(tmp_path)
    assert sorted(contents.pictures) == names
    assert sorted(contents.others) == ["jpg", "notes.txt", "x.jpg.part"]


def test_pictures_below_goes_into_every_folder_and_names_what_it_passes_over(tmp_path: Path) -> None:
    write(
        tmp_path / "cat", "a.jpg", "deep/er/b.jpg", "deep/notes.txt", ".hidden/c.jpg", "deep/.DS_Store", "x.jpg/d.jpg"
    )
    write(tmp_path, "dog/e.jpg")
    found, passed_over = pictures_below(FolderSource(tmp_path), "cat/")
    assert sorted(found) == ["cat/a.jpg", "cat/deep/er/b.jpg", "cat/x.jpg/d.jpg"]
    assert sorted(passed_over, key=lambda thing: thing.name) == [
        PassedOver("cat/.hidden", "the name begins with a dot"),
        PassedOver("cat/deep/.DS_Store", "the name begins with a dot"),
        PassedOver("cat/deep/notes.txt", "no picture suffix"),
    ]


@pytest.mark.timeout(20)
def test_what_is_no_regular_file_is_passed_over_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "round.jpg").symlink_to("round.jpg")
    (tmp_path / "loop").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's path may have 107 bytes only
        try:
            server.bind("socket.jpg")
        finally:
            os.chdir(here)
        found, passed_over = pictures_below(FolderSource(tmp_path))
    assert found == []
    assert {thing.name: thing.reason for thing in passed_over} == {
        "pipe.jpg": "a named pipe",
        "zero.jpg": "a character device",
        "gone.jpg": "a link that leads nowhere (No such file or directory)",
        "round.jpg": "a link that leads nowhere (Too many levels of symbolic links)",
        "loop": "a link to a folder inside a class folder",
        "socket.jpg": "a socket",
    }


def test_links_to_files_are_followed_wherever_they_lead(tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/a.bin", "here/b.jpg")
    (tmp_path / "here/a.jpg").symlink_to("../elsewhere/a.bin")
    found, passed_over = pictures_below(FolderSource(tmp_path / "here"))
    assert sorted(found) == ["a.jpg", "b.jpg"]
    assert passed_over == []


def test_names_that_are_no_utf8_are_an_error_for_pictures_and_folders(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")  # noqa: PTH102 -- a name in bytes
    with pytest.raises(DataError, match=r"1 names in .* are not valid UTF-8: '\\udcff'"):
        look_into(tmp_path)


def test_names_that_are_no_utf8_are_passed_over_in_a_form_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.txt")).write_bytes(b"")
    _, passed_over = pictures_below(FolderSource(tmp_path))
    assert passed_over == [PassedOver("\\xff.txt", "no picture suffix")]
    assert printable("caf\u00e9") == "caf\u00e9"


def test_hostile_names_are_ids_like_any_other(tmp_path: Path) -> None:
    names = ["a\nb.jpg", "\x1b[31m.jpg", "<script>alert(1)<.jpg", "{{7*7}}.jpg", "\u202e.jpg", "-rf.jpg", "=cmd().jpg"]
    write(tmp_path, *names, "n" * 251 + ".jpg")
    assert sorted(pictures_below(FolderSource(tmp_path))[0]) == sorted([*names, "n" * 251 + ".jpg"])


def test_why_no_file_tells_what_stands_there(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg")
    assert why_no_file(tmp_path / "a.jpg") == ""
    assert why_no_file(tmp_path) == "a folder"
    assert why_no_file(tmp_path / "b.jpg") == "not there"
    assert why_no_file(tmp_path / "a.jpg/b.jpg") == "not there"
    assert why_no_file("a\0b") == "not a possible file name"
    assert why_no_file(tmp_path / ("n" * 300)) == "File name too long"


def test_a_link_leads_back_to_its_own_folder_or_above(tmp_path: Path) -> None:
    write(tmp_path, "data/cat/a.jpg", "data/dog/a.jpg")
    for name, target in {"up": "..", "self": ".", "top": "/", "dog2": "dog"}.items():
        (tmp_path / "data" / name).symlink_to(target)
    back = [name for name in ("up", "self", "top", "dog2") if leads_back(tmp_path / "data" / name, tmp_path / "data")]
    assert back == ["up", "self", "top"]


def test_what_the_system_refuses_is_an_error_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read '.*/a.jpg': Not a directory"):
        look_into(write(tmp_path, "a.jpg") / "a.jpg")
    with pytest.raises(DataError, match=r"no permission to read 'x'"), reading("x"):
        raise PermissionError
