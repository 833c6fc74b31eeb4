"""What a small copy of a picture tells: to people, to the search for near copies, and about how it looks."""

import io
from dataclasses import dataclass

from PIL import Image

from heldout.data.appearance import Appearance, appearance
from heldout.data.decoding import Decoded
from heldout.data.likeness import signature

# The longer side of the small copy, pixels.
SMALL_SIDE = 128


@dataclass(frozen=True, slots=True)
class Impression:
    """What is kept of the small copy of one picture.

    Attributes:
        thumbnail: A JPEG of it.
        signature: Finds near copies (`likeness.py`).
        appearance: How light, sharp and colourful it is.
    """

    thumbnail: bytes
    signature: bytes
    appearance: Appearance


def impression(picture: Decoded) -> Impression:
    """The impression of one picture."""
    small = shrunk(picture.image)
    return Impression(thumbnail(small), signature(small), appearance(small, picture.stored))


def shrunk(image: Image.Image, *, side: int = SMALL_SIDE) -> Image.Image:
    """The whole picture with its longer side at most `side` pixels.

    Example:
        >>> shrunk(Image.new("RGB", (512, 300))).size, shrunk(Image.new("RGB", (30, 20))).size
        ((128, 75), (30, 20))
    """
    if max(image.size) <= side:
        return image
    scale = side / max(image.size)
    size = (max(1, round(image.size[0] * scale)), max(1, round(image.size[1] * scale)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def thumbnail(small: Image.Image) -> bytes:
    """A JPEG for people to look at, without anything that the file held beside its pixels."""
    bare = Image.new("RGB", small.size)
    bare.paste(small)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=80)
    return out.getvalue()
