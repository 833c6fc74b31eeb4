from pathlib import Path

import pytest

from heldout.data.layouts.class_folders import look_for_classes, read_class_folders, read_split_folders
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_loose_pictures_and_links_back_are_noted_with_the_prefix(tmp_path: Path) -> None:
    write(tmp_path, "train/cat/a.jpg", "train/b.jpg")
    (tmp_path / "train/up").symlink_to("..")
    contents = look_for_classes(FolderSource(tmp_path), "train/")
    assert contents.folders == ["cat"]
    assert {thing.name for thing in contents.passed_over} == {"train/b.jpg", "train/up"}


def test_class_folders_are_read_without_parts(tmp_path: Path) -> None:
    write(tmp_path, "cat/a.jpg", "dog/b.jpg")
    examples = read_class_folders(FolderSource(tmp_path), look_for_classes(FolderSource(tmp_path)))
    assert examples.ids == ("cat/a.jpg", "dog/b.jpg")
    assert examples.given.tolist() == [-1, -1]


def test_an_unlabelled_test_folder_can_be_left_aside(tmp_path: Path) -> None:
    write(tmp_path, "train/cat/a.jpg", "train/dog/b.jpg", "test/1.jpg")
    source = FolderSource(tmp_path)
    with pytest.raises(DataError, match="1 pictures outside of class folders") as caught:
        read_split_folders(source, look_for_classes(source), {0: "train", 2: "test"})
    assert f"pass '{tmp_path / 'train'}' alone" in caught.value.fix
