"""Good pictures for which there is no memory: the run ends and says so, and no file is blamed or left out."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heldout.data.pictures.decoding import decode
from hostile.limited import Commands, Ended, Limits
from make import class_folders

SIZE = (4800, 3200)
# No format is decoded in it: Pillow holds these pixels in 61 MB, and most decoders need them twice.
LITTLE = Limits(room_bytes=56 * 2**20)
KINDS: dict[str, dict[str, Any]] = {
    "png": {"compress_level": 1},
    "webp": {"lossless": True, "method": 0, "quality": 0},
    "tiff": {"compression": "tiff_lzw"},
    "bmp": {},
}


def with_large(home: Path, kind: str, n: int = 1) -> Path:
    """Pictures of three classes, so many of each that are small, and one that is large."""
    photos = class_folders(home / "photos", n)
    large = photos / "blobs" / f"large.{kind}"
    Image.new("RGB", SIZE, (200, 90, 30)).save(large, **KINDS[kind])
    assert decode(large.read_bytes()).image.size == SIZE
    return photos


def is_told(ended: Ended) -> None:
    """The words for want of memory, its code, and no word about a file."""
    outcome = ended.outcome
    assert outcome.code == 71, (outcome.code, outcome.out, outcome.err)
    (first,) = (line for line in outcome.err.splitlines() if line.startswith("error: "))
    assert first.startswith("error: there is not enough memory to decode the pictures"), outcome.err
    assert {line.split(":")[0] for line in outcome.err.splitlines()} >= {"  expected", "  fix"}, outcome.err
    assert "large." not in outcome.out + outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("kind", KINDS)
def test_no_picture_is_called_damaged_for_want_of_memory(kind: str, checking: Commands, tmp_path: Path) -> None:
    photos = with_large(tmp_path, kind)
    is_told(checking.run("check", photos, home=tmp_path, limits=LITTLE))
    assert not (tmp_path / "checks").exists()


def test_none_is_skipped_for_it(training: Commands, tmp_path: Path) -> None:
    photos = with_large(tmp_path, "webp", n=8)
    arguments = ("train", photos, "--skip-bad", "--regime", "scratch", "--backbone", "resnet18")
    is_told(training.run(*arguments, home=tmp_path, limits=LITTLE))
    assert not list(tmp_path.glob("runs/*"))


def test_what_is_damaged_is_so_with_little_memory_too(checking: Commands, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", 8)
    one = sorted(photos.rglob("*.*"))[3]
    one.write_bytes(one.read_bytes()[:-40])
    ended = checking.run("check", "photos", "--json", home=tmp_path, limits=Limits(room_bytes=512 * 2**20))
    (told,) = ended.outcome.json()["unreadable"]
    assert told["id"] == one.relative_to(photos).as_posix()
