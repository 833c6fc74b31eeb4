import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from heldout.data.examples import PARTS, Examples
from heldout.data.layouts.photos import find_photos
from heldout.errors import DataError

REAL = Path(__file__).parents[4] / "shared" / "data"


def write(root: Path, *names: str) -> Path:
    """Empty files: finding opens no picture."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def labels(examples: Examples) -> dict[str, str]:
    return {id_: examples.classes[label] for id_, label in zip(examples.ids, examples.labels, strict=True)}


def given(examples: Examples) -> dict[str, str]:
    return {id_: PARTS[part] if part >= 0 else "" for id_, part in zip(examples.ids, examples.given, strict=True)}


def passed_over(examples: Examples) -> dict[str, str]:
    return {thing.name: thing.reason for thing in examples.passed_over}


def test_class_folders(tmp_path: Path) -> None:
    examples = find_photos(write(tmp_path, "dog/b.jpg", "cat/a.png", "cat/burst 1/c.JPG"))
    assert labels(examples) == {"cat/a.png": "cat", "cat/burst 1/c.JPG": "cat", "dog/b.jpg": "dog"}
    assert examples.layout == "class folders"
    assert examples.source.name == str(tmp_path)
    assert set(examples.given) == {-1}
    assert examples.passed_over == ()


@pytest.mark.parametrize("names", [("val", "test"), ("valid", "test"), ("Validation", "TEST"), ("val",), ("test",), ()])
def test_split_folders_by_any_of_their_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    for part in ("Train", *names):
        write(tmp_path, f"{part}/cat/a.jpg", f"{part}/dog/b.jpg")
    examples = find_photos(tmp_path)
    assert examples.layout == "split folders"
    assert examples.classes == ("cat", "dog")
    expected = {"Train": "train", "test": "test", "TEST": "test"}
    assert given(examples) == {
        f"{part}/{name}": expected.get(part, "validation")
        for part in ("Train", *names)
        for name in ("cat/a.jpg", "dog/b.jpg")
    }


def test_class_names_with_blanks_dots_and_unicode(tmp_path: Path) -> None:
    names = ["red rose", "v1.2", "\u65e5\u672c", "e\u0301t\u00e9", "x.jpg", "NA", "null", "no", "1e3", "007", "<b>"]
    examples = find_photos(write(tmp_path, *(f"{name}/a.jpg" for name in names)))
    assert examples.classes == tuple(sorted(names))


def test_dot_things_and_what_is_no_picture_are_named(tmp_path: Path) -> None:
    write(tmp_path, "cat/a.jpg", "dog/b.jpg", "cat/Thumbs.db", ".ipynb_checkpoints/c.jpg", ".DS_Store", "README.md")
    write(tmp_path, "dog/.git/d.jpg", "loose.jpg")
    (tmp_path / "empty").mkdir()
    assert passed_over(find_photos(tmp_path)) == {
        ".DS_Store": "the name begins with a dot",
        ".ipynb_checkpoints": "the name begins with a dot",
        "README.md": "no picture suffix",
        "cat/Thumbs.db": "no picture suffix",
        "dog/.git": "the name begins with a dot",
        "empty": "a class folder without pictures",
        "loose.jpg": "outside of any class folder",
    }


def test_a_class_absent_from_one_part_keeps_its_place_in_the_class_map(tmp_path: Path) -> None:
    write(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "train/c/1.jpg", "test/a/1.jpg", "test/c/1.jpg", "test/d/1.jpg")
    (tmp_path / "test/b").mkdir()
    (tmp_path / "test/e").mkdir()
    examples = find_photos(tmp_path)
    assert examples.classes == ("a", "b", "c", "d")
    assert labels(examples)["test/c/1.jpg"] == "c"
    assert passed_over(examples) == {"test/e": "a class folder without pictures"}


def test_an_empty_part_and_folders_beside_the_parts_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg", "unlabelled/x.jpg", "train/x.jpg")
    (tmp_path / "test/a").mkdir(parents=True)
    examples = find_photos(tmp_path)
    assert passed_over(examples) == {
        "test": "a test folder without pictures",
        "train/x.jpg": "outside of any class folder",
        "unlabelled": "a folder beside train/ that is none of the parts",
    }
    assert set(given(examples).values()) == {"train", "validation"}


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    examples = find_photos(write(tmp_path, "bus/a.jpg", "car/a.jpg", "train/a.jpg"))
    assert examples.layout == "class folders"
    assert examples.classes == ("bus", "car", "train")


def test_class_folders_and_parts_may_be_links_but_not_back(tmp_path: Path) -> None:
    write(tmp_path, "store/cats/a.jpg", "data/train/dog/b.jpg", "store/test/cat/c.jpg", "store/test/dog/d.jpg")
    (tmp_path / "data/train/cat").symlink_to("../../store/cats")
    (tmp_path / "data/test").symlink_to("../store/test")
    (tmp_path / "data/train/all").symlink_to("..")
    (tmp_path / "data/loop").symlink_to(".")
    examples = find_photos(tmp_path / "data")
    assert examples.ids == ("test/cat/c.jpg", "test/dog/d.jpg", "train/cat/a.jpg", "train/dog/b.jpg")
    assert set(passed_over(examples)) == {"loop", "train/all"}


@pytest.mark.timeout(20)
def test_pipes_and_devices_in_class_folders_do_not_hang(tmp_path: Path) -> None:
    write(tmp_path, "cat/a.jpg", "dog/b.jpg")
    os.mkfifo(tmp_path / "cat/pipe.jpg")
    (tmp_path / "dog/zero.jpg").symlink_to("/dev/zero")
    examples = find_photos(tmp_path)
    assert examples.ids == ("cat/a.jpg", "dog/b.jpg")
    assert passed_over(examples) == {"cat/pipe.jpg": "a named pipe", "dog/zero.jpg": "a character device"}


def test_a_relative_path_gives_an_absolute_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "data/cat/a.jpg", "data/dog/b.jpg")
    monkeypatch.chdir(tmp_path)
    assert find_photos("data").source.path_of("cat/a.jpg") == str(tmp_path / "data/cat/a.jpg")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "is empty"),
        (["cat/notes.txt", "x.md"], "holds 1 folders and 1 other files, but no picture"),
        (["a.jpg", "b.jpg"], "holds 2 pictures outside of class folders and none inside"),
        (["cat/a.jpg", "cat/b.jpg"], "one class only, 'cat', with 2 pictures"),
        (["cat/a.jpg", "Cat/b.jpg"], "'Cat' and 'cat' .* differ only in case"),
        (["train/cat/a.jpg", "train/b\u00e9/a.jpg", "test/be\u0301/a.jpg"], "differ only in case, Unicode form"),
        (["test/cat/a.jpg", "test/dog/a.jpg"], "holds 'test' but no 'train'"),
        (["test/cat/a.jpg", "cat/a.jpg", "dog/a.jpg"], "holds 'test' but no 'train'; beside it stand 'cat', 'dog'"),
        (["train/a/1.jpg", "val/a/1.jpg", "valid/a/1.jpg"], "'val' and 'valid', two names for the validation part"),
        (["train/a/1.jpg", "Train/a/1.jpg"], "'Train' and 'train', two names for the train part"),
        (["train/a.jpg", "test/b.jpg"], "train' holds 0 class folders without pictures and 1 pictures outside"),
        (["train/a/1.jpg", "train/b/1.jpg", "test/1.jpg"], "test' holds 0 class folders without pictures and 1 pic"),
        (["train/a/x.txt", "test/a/1.jpg"], "train' holds 1 class folders without pictures and 0 pictures"),
        (["train/a/1.jpg", "train/b/1.jpg", "cat/1.jpg"], "beside 'cat': is it the training part or a class"),
        (["trainfile.txt", "valfile.txt", "validfile.txt"], "two names for the validation part"),
    ],
)
def test_folders_that_cannot_be_used_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        find_photos(write(tmp_path, *names))
    assert str(tmp_path) in caught.value.what


def test_flat_pictures_beside_a_table_point_at_the_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="outside of class folders") as caught:
        find_photos(write(tmp_path, "a.jpg", "labels.csv"))
    assert f"{tmp_path / 'labels.csv'}" in caught.value.fix


def test_what_does_not_exist_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "flowers/a/1.jpg")
    with pytest.raises(DataError, match=r"flowesr' does not exist; did you mean \"flowers\"\?"):
        find_photos(tmp_path / "flowesr")
    with pytest.raises(DataError, match="does not exist"):
        find_photos(tmp_path / "no/such/folder")


@pytest.mark.parametrize("name", ["photos.7z", "a.jpg", "noext"])
def test_a_file_of_unknown_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="is a file of unknown kind"):
        find_photos(write(tmp_path, name) / name)


@pytest.mark.timeout(20)
def test_a_pipe_is_refused_without_opening_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "data.csv")
    with pytest.raises(DataError, match="neither a folder nor a file"):
        find_photos(tmp_path / "data.csv")


def test_an_address_of_the_web_and_one_that_was_made_a_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="looks like an address of the web"):
        find_photos("https://example.org/photos.zip")
    with pytest.raises(DataError, match="looks like an address that was made a path") as caught:
        find_photos(Path("s3://bucket/photos"))
    assert "as a str" in caught.value.fix


def test_a_link_round_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(DataError, match="Too many levels of symbolic links"):
        find_photos(tmp_path / "round")


@contextmanager
def _as_a_user_without_rights() -> Iterator[None]:
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.parametrize("closed", [".", "cat", "train/cat"])
def test_a_folder_without_permission_is_an_error_and_not_an_empty_class(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder may be closed to other users as a whole
        root = Path(name) / "data"
        prefix = "train/" if closed.startswith("train") else ""
        write(root, f"{prefix}cat/a.jpg", f"{prefix}dog/b.jpg")
        Path(name).chmod(0o755)
        (root / closed).chmod(0)
        try:
            with _as_a_user_without_rights(), pytest.raises(DataError, match="no permission to read") as caught:
                find_photos(root)
        finally:
            (root / closed).chmod(0o755)
        assert caught.value.fix.startswith("change the permissions")


@pytest.mark.parametrize(
    ("name", "n_parts"),
    [("catdog", (1000, 200, 200)), ("flower_photos", (400, 0, 150)), ("flowers102_64", (1020, 1020, 6149))],
)
def test_real_folders(name: str, n_parts: tuple[int, int, int]) -> None:
    if not (REAL / name).is_dir():
        pytest.skip(f"{REAL / name} is not here")
    examples = find_photos(REAL / name)
    assert tuple(np.bincount(examples.given, minlength=3)) == n_parts
    assert examples.passed_over == ()
