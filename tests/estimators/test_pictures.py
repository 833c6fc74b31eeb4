import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heldout.data.pictures.decoding import decode
from heldout.data.pictures.survey import Survey
from heldout.errors import DataError, Unreadable, UnreadablePictures
from heldout.estimators.pictures import pictures_of, refuse_unreadable
from make import pixels


def test_an_array_has_the_pixels_of_the_same_picture_in_a_file(tmp_path: Path) -> None:
    picture = pixels("blobs", 0)
    Image.fromarray(picture).save(tmp_path / "a.png")
    source = pictures_of([picture, str(tmp_path / "a.png"), tmp_path / "a.png", picture[..., 0], picture[::2, ::3]])
    decoded = [decode(source.read(name)) for name in source.ids]
    for one in decoded[:3]:
        np.testing.assert_array_equal(np.asarray(one.image), picture)
    assert len({one.facts.pixels for one in decoded[:3]}) == 1
    np.testing.assert_array_equal(np.asarray(decoded[3].image), np.repeat(picture[..., :1], 3, axis=-1))
    np.testing.assert_array_equal(np.asarray(decoded[4].image), picture[::2, ::3])
    with source.open("1") as file:
        assert file.read() == (tmp_path / "a.png").read_bytes()


def test_names_stand_in_the_order_of_the_pictures_also_of_the_same_one() -> None:
    source = pictures_of(["a.jpg"] * 12)
    assert source.ids == tuple(sorted(set(source.ids)))
    assert [source.path_of(name) for name in source.ids] == ["a.jpg"] * 12
    assert source.why_no_file("00") == "not there"
    assert pictures_of(np.zeros((2, 3, 4, 3), np.uint8)).why_no_file("1") == ""
    assert source.path_of("") == "X"
    assert not source.look_into().pictures


def test_what_cannot_be_read_is_told_by_its_path_or_place() -> None:
    source = pictures_of(["gone.jpg", np.zeros((3, 4), np.uint8)])
    survey = Survey((None, None), (Unreadable("0", "not there"), Unreadable("1", "too dark")))
    with pytest.raises(UnreadablePictures, match=r"2 of 2 files .*\n\s+'gone\.jpg': not there\n\s+'X\[1\]': too dark"):
        refuse_unreadable(survey, source)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("cat.jpg", "put a single picture into a list"),
        (Path("cat.jpg"), "put a single picture into a list"),
        (io.BytesIO(b""), "put a single picture into a list"),
        ([], "X has no pictures"),
        (np.zeros((2, 5, 5, 3)), r"X\[0\] is of type ndarray, with shape \(5, 5, 3\) of float64"),
        (np.zeros((2, 3, 5, 5), np.uint8), r"with shape \(3, 5, 5\) of uint8"),
        (["a.jpg", np.zeros((0, 5, 3), np.uint8)], r"X\[1\] is of type ndarray, with shape \(0, 5, 3\)"),
        ([None], r"X\[0\] is of type NoneType"),
    ],
)
def test_what_is_no_picture_is_refused(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pictures_of(X)
