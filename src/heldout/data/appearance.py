"""What a picture looks like, in a few numbers that have next to nothing to do with what it shows.

Everything is measured on the thumbnail, so that it costs next to nothing beside decoding, and does not depend on how
many pixels the camera had. A blur smaller than a pixel of the thumbnail therefore goes unseen, here as in the network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from jaxtyping import Int, UInt8
from PIL import Image

# A row or column of one colour may still differ by this much, of 255: frames drawn around photos and saved as JPEG
# differed by up to 2 at qualities 50 to 85 (measured here, 2026-11-22).
_UNIFORM = 6
# Grey pictures that went through a JPEG's colour channels stay within this, of 255.
_GREY = 2.0
# All is measured at this length of the longer side, pixels: half as long takes a third of the time of a thumbnail and
# finds blurs of 2 % instead of 1 % of the longer side (measured here, 2026-11-22).
_SIDE = 64
# Sharpness is that of the sharpest of so many by so many fields: a sharp flower before a blurred meadow is sharp.
_FIELDS = 4

_LEVELS = np.arange(256)
_SQUARES = _LEVELS**2
# Table K.1 of ITU-T T.81 (JPEG), the one that libjpeg scales by its quality, row by row.
_STANDARD = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ]
)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A picture in numbers; lightness and colours between 0 (black) and 1 (white).

    Attributes:
        brightness: Mean of the luma.
        contrast: Standard deviation of the luma, at most 0.5.
        dark_end: The luma that one pixel in a hundred does not exceed.
        light_end: The luma that one pixel in a hundred exceeds, at most.
        sharpness: How much of the change from pixel to pixel is abrupt, in the sharpest sixteenth and whatever the
            contrast: 1.1 to 1.9 for photos, less for blurred ones; 0 where nothing changes.
        red: Mean.
        green: Mean.
        blue: Mean.
        is_grey: Whether red, green and blue are equal all over, as good as.
        is_flat: Whether all pixels are equal.
        border: Share of the area that rows and columns of one colour along the edges take.
        border_luma: Luma of that frame; 0 where there is none.
        jpeg_quality: 1 to 100 as libjpeg counts, by the quantisation table; None for other formats.
    """

    brightness: float
    contrast: float
    dark_end: float
    light_end: float
    sharpness: float
    red: float
    green: float
    blue: float
    is_grey: bool
    is_flat: bool
    border: float
    border_luma: float
    jpeg_quality: int | None


def appearance(small: Image.Image, stored: Image.Image | None = None) -> Appearance:
    """The numbers of one picture.

    Args:
        small: The whole picture in RGB, upright, as `impressions.shrunk` makes it.
        stored: The picture as it was opened, for its quantisation tables; None leaves the quality unknown.

    Example:
        >>> found = appearance(Image.new("RGB", (40, 30), "white"))
        >>> found.brightness, found.is_grey, found.is_flat, found.border
        (1.0, True, True, 1.0)
    """
    factor = -(-max(small.size) // _SIDE)
    half = small.reduce(factor) if factor > 1 else small
    luma = np.asarray(half.convert("L"))
    brightness, contrast, dark_end, light_end = _lightness(luma)
    # Colours need still less detail, and a quarter of the pixels takes a quarter of the time.
    colours = np.ascontiguousarray(np.asarray(half.reduce(2)).reshape(-1, 3).T, np.int16)
    red, green, blue = (colours.sum(axis=1) / (255 * colours.shape[1])).tolist()
    apart = np.abs(colours[:2] - colours[1:])
    border, border_luma = _border(luma)
    return Appearance(
        brightness=brightness,
        contrast=contrast,
        dark_end=dark_end,
        light_end=light_end,
        sharpness=_sharpness(luma.astype(np.int16)),
        red=red,
        green=green,
        blue=blue,
        is_grey=bool(apart.sum() <= _GREY * colours.shape[1]),
        is_flat=contrast == 0 and bool((colours == colours[:, :1]).all()),
        border=border,
        border_luma=border_luma,
        jpeg_quality=jpeg_quality(getattr(stored, "quantization", None) or {}),
    )


def jpeg_quality(tables: Mapping[int, Sequence[int]]) -> int | None:
    """The quality, 1 to 100, at which libjpeg would use a table nearest to the first of these; None without tables.

    Args:
        tables: As in Pillow's `Image.quantization`: 64 numbers each, row by row.

    Source:
        libjpeg, jcparam.c: `jpeg_quality_scaling`, `jpeg_add_quant_table`.

    Example:
        >>> jpeg_quality({0: [1] * 64}), jpeg_quality({})
        (100, None)
    """
    if not tables:
        return None
    return _nearest_quality(tuple(tables[min(tables)]))


@lru_cache(maxsize=512)
def _nearest_quality(table: tuple[int, ...]) -> int | None:
    if len(table) != len(_STANDARD):
        return None
    return 1 + int(np.abs(_tables() - np.array(table)).sum(axis=1).argmin())


@lru_cache(maxsize=1)
def _tables() -> Int[np.ndarray, "qualities 64"]:
    """The luma table of every quality from 1 to 100."""
    scales = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in range(1, 101)]
    return np.asarray(np.clip((_STANDARD * np.array(scales)[:, None] + 50) // 100, 1, 255))


def _lightness(luma: UInt8[np.ndarray, "height width"]) -> tuple[float, float, float, float]:
    """Mean, deviation, 1st and 99th percentile of the luma."""
    counts = np.bincount(luma.reshape(-1), minlength=256)
    n = luma.size
    total, squares = int(counts @ _LEVELS), int(counts @ _SQUARES)
    up_to = counts.cumsum()
    dark_end, light_end = up_to.searchsorted((0.01 * n, 0.99 * n)).tolist()
    return total / n / 255, sqrt(squares * n - total**2) / n / 255, dark_end / 255, light_end / 255


def _sharpness(luma: Int[np.ndarray, "height width"]) -> float:
    """Mean second difference over mean first difference, in the field where that is highest."""
    if min(luma.shape) < 3 * _FIELDS:
        return 0.0
    down, right = luma[1:, 1:-1] - luma[:-1, 1:-1], luma[1:-1, 1:] - luma[1:-1, :-1]
    first = _field_sums(np.abs(down[1:]) + np.abs(right[:, 1:]))
    second = _field_sums(np.abs(down[1:] - down[:-1]) + np.abs(right[:, 1:] - right[:, :-1]))
    # A field where little happens says nothing: rounding alone would look sharp.
    least = max(sum(first) / len(first), 1.0)
    return max((abrupt / change for abrupt, change in zip(second, first, strict=True) if change >= least), default=0.0)


def _field_sums(change: Int[np.ndarray, "height width"]) -> list[int]:
    height, width = change.shape[0] // _FIELDS, change.shape[1]
    # A field is at most 16 rows high, so a column's sum stays below 16 x 1020 and fits 16 bits.
    columns = change[: height * _FIELDS].reshape(_FIELDS, height, width).sum(axis=1, dtype=np.int16)
    starts = [width * field // _FIELDS for field in range(_FIELDS)]
    sums: list[int] = np.add.reduceat(columns, starts, axis=1, dtype=np.int32).ravel().tolist()
    return sums


def _border(luma: UInt8[np.ndarray, "height width"]) -> tuple[float, float]:
    """Share of the area in uniform rows and columns along the edges, and the mean luma of the outermost ones."""
    height, width = luma.shape
    top, bottom = (_n_uniform(lines) for lines in (luma, luma[::-1]))
    left, right = (_n_uniform(lines) for lines in (luma.T, luma.T[::-1]))
    inside = max(0, height - top - bottom) * max(0, width - left - right)
    edges = [line for n, line in ((top, luma[0]), (bottom, luma[-1]), (left, luma[:, 0]), (right, luma[:, -1])) if n]
    if not edges:
        return 0.0, 0.0
    return 1 - inside / luma.size, float(np.mean([float(edge.mean()) for edge in edges])) / 255


def _n_uniform(lines: UInt8[np.ndarray, "lines along"]) -> int:
    """How many lines from the first on are all of one colour."""
    low = high = int(lines[0, 0])
    if abs(int(lines[0, lines.shape[1] // 2]) - low) > _UNIFORM:
        return 0  # the usual case, without a look at the whole line
    for n, line in enumerate(lines):
        values = line.tolist()  # faster than numpy for so few
        low, high = min(low, *values), max(high, *values)
        if high - low > _UNIFORM:
            return n
    return len(lines)
