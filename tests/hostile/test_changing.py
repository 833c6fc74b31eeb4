"""Files that go or change while heldout works on them."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from heldout.data.examples import Examples
from heldout.data.pictures.decoding import MAX_PIXELS, PixelPath, UnreadablePicture, decode
from heldout.data.pictures.survey import Survey, read_file
from heldout.data.storage.sources import FolderSource
from heldout.reporting.thumbnails import seen_by_network
from heldout.verbs.checking import check, sample_grid
from hostile.folders import photos
from hostile.pictures import drawn, saved

PATH = PixelPath(64, 56, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.fixture
def looked(tmp_path: Path) -> tuple[Examples, Survey]:
    found = check(photos(tmp_path / "photos"), out=None)
    return found.examples, found.survey


def test_a_sample_that_went_or_changed_since_the_look_is_left_blank(
    looked: tuple[Examples, Survey], tmp_path: Path
) -> None:
    examples, survey = looked
    whole = sample_grid(examples, survey, "efficientnet-lite0")
    (tmp_path / "photos" / "cat" / "000.png").unlink()
    (tmp_path / "photos" / "dog" / "000.png").write_bytes(b"no picture")
    (tmp_path / "photos" / "dog" / "001.png").write_bytes(saved(drawn(seed=99), "PNG"))
    blank = sample_grid(examples, survey, "efficientnet-lite0")
    assert blank.startswith(b"\x89PNG")
    assert blank != whole


def test_another_file_is_never_kept_under_the_hash_of_the_one_that_was_looked_at(tmp_path: Path) -> None:
    source = FolderSource(photos(tmp_path / "photos"))
    _, sha256 = read_file(source, "cat/000.png")
    (tmp_path / "photos" / "cat" / "000.png").write_bytes(saved(drawn(seed=99), "PNG"))
    assert seen_by_network(source, "cat/000.png", sha256, path=PATH, cache=tmp_path / "cache") is None
    assert not (tmp_path / "cache").exists()
    (tmp_path / "photos" / "cat" / "000.png").unlink()
    assert seen_by_network(source, "cat/000.png", sha256, path=PATH, cache=tmp_path / "cache") is None


def test_a_picture_beyond_the_usual_limit_is_shown_where_the_limit_was_raised(tmp_path: Path) -> None:
    large = saved(Image.new("1", (10_000, MAX_PIXELS // 10_000 + 1)), "PNG")
    (tmp_path / "large.png").write_bytes(large)
    source, sha256 = FolderSource(tmp_path), hashlib.sha256(large).hexdigest()
    with pytest.raises(UnreadablePicture, match="more than the limit"):
        decode(large)
    assert seen_by_network(source, "large.png", sha256, path=PATH, cache=tmp_path / "cache") is not None
