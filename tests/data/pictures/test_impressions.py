import io

import numpy as np
import pytest
from PIL import Image

from heldout.data.pictures.appearance import appearance
from heldout.data.pictures.decoding import decode
from heldout.data.pictures.impressions import glimpse, impression, impressions, shrunk, thumbnail
from heldout.data.pictures.likeness import signature


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def stored(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "wanted"), [((640, 320), (128, 64)), ((10, 900), (2, 129)), ((30, 20), (30, 20)), ((1, 5000), (1, 129))]
)
def test_thumbnails_show_the_whole_picture(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(thumbnail(shrunk(noise(*size))))) as small:
        assert (small.format, small.size) == ("JPEG", wanted)


def test_an_impression_is_of_the_small_copy() -> None:
    picture = decode(stored(noise(300, 200), quality=61))
    found = impression(picture)
    small = shrunk(picture.image)
    assert found.signature == signature(small)
    assert found.appearance == appearance(small, picture.stored)
    assert found.appearance.jpeg_quality == 61


def test_an_impression_does_not_depend_on_who_else_is_looked_at() -> None:
    sizes = [(300, 200), (200, 300), (30, 20), (300, 200), (1, 1), (300, 201)]
    pictures = [decode(stored(noise(*size), quality=50 + number)) for number, size in enumerate(sizes)] * 12
    assert impressions([glimpse(picture) for picture in pictures]) == [impression(one) for one in pictures[:6]] * 12
    assert impressions([]) == []


@pytest.mark.parametrize("size", [(300, 200), (30, 20)])
def test_a_thumbnail_tells_nothing_that_the_file_held_beside_its_pixels(size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x9286] = "where I live"
    data = stored(noise(*size), exif=exif, comment=b"my name", icc_profile=b"profile of mine")
    assert b"where I live" in data
    made = impression(decode(data)).thumbnail
    assert not any(secret in made for secret in (b"where I live", b"my name", b"profile of mine"))
