"""What a small copy of a picture tells: to people, to the search for near copies, and about how it looks.

A thread that decoded a picture takes a glimpse of it; impressions are made of many glimpses at once, for the calls of
numpy on one picture would take as long as half the decoding.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from heldout.data.pictures.appearance import Appearance, Tones, appearances, tones
from heldout.data.pictures.decoding import Decoded
from heldout.data.pictures.likeness import signatures_of, square

# The longer side of the small copy, pixels: from two thirds to one and a half of it.
SMALL_SIDE = 128


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """What an impression is made of.

    Attributes:
        thumbnail: A JPEG of the small copy.
        square: For the signature.
        tones: For the appearance.
    """

    thumbnail: bytes
    square: bytes
    tones: Tones


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
    return impressions([glimpse(picture)])[0]


def glimpse(picture: Decoded) -> Glimpse:
    """What the impression of one picture is made of."""
    small = shrunk(picture.image)
    return Glimpse(thumbnail(small), square(small), tones(small, picture.stored))


def impressions(glimpses: Sequence[Glimpse]) -> list[Impression]:
    """The impressions of many pictures, in their order, each as if it were the only one."""
    signatures = signatures_of([one.square for one in glimpses])
    looks = appearances([one.tones for one in glimpses])
    return [
        Impression(one.thumbnail, row.tobytes(), look)
        for one, row, look in zip(glimpses, signatures, looks, strict=True)
    ]


def shrunk(image: Image.Image) -> Image.Image:
    """The whole picture, made smaller by the whole number that brings its longer side nearest to `SMALL_SIDE`.

    Means over squares of whole pixels take a quarter of the time of a resampling to just that side.

    Example:
        >>> [shrunk(Image.new("RGB", size)).size for size in ((512, 300), (224, 224), (30, 20))]
        [(128, 75), (112, 112), (30, 20)]
    """
    factor = round(max(image.size) / SMALL_SIDE)
    return image.reduce(factor) if factor > 1 else image


def thumbnail(small: Image.Image) -> bytes:
    """A JPEG for people to look at, without anything that the file held beside its pixels."""
    bare = Image.new("RGB", small.size)
    bare.paste(small)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=80)
    return out.getvalue()
