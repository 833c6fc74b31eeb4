"""Generated pictures with details of every size, as photos have them, each like no other."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from heldout.data.pictures.impressions import shrunk
from heldout.data.pictures.likeness import SIGNATURE_BYTES, signature


def texture(number: int, *, width: int = 256, height: int = 192) -> Image.Image:
    """Noise of all scales, each octave weaker than the one before; the same number gives the same picture."""
    generator = np.random.default_rng([7, number])
    levels = np.full((height, width, 3), 128.0)
    for octave in range(1, 7):
        coarse = Image.fromarray(generator.integers(0, 256, (2**octave, 2**octave, 3), dtype=np.uint8))
        levels += (np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) - 128.0) * 0.65**octave
    return Image.fromarray(np.clip(levels, 20, 235).astype(np.uint8))


def reencoded(image: Image.Image, quality: int = 50) -> Image.Image:
    """The picture after a JPEG of that quality."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def cut(image: Image.Image, left: float, right: float, top: float, bottom: float) -> Image.Image:
    """What is left when these shares of the sides are cut off."""
    width, height = image.size
    return image.crop(
        (round(width * left), round(height * top), round(width * (1 - right)), round(height * (1 - bottom)))
    )


def signed(*images: Image.Image) -> UInt8[np.ndarray, "pictures bytes"]:
    """The signatures of pictures, one row each, by way of their small copies."""
    rows = [np.frombuffer(signature(shrunk(image)), np.uint8) for image in images]
    return np.stack(rows) if rows else np.empty((0, SIGNATURE_BYTES), np.uint8)
