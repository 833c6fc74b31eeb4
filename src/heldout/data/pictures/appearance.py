"""What a picture looks like, in a few numbers that have next to nothing to do with what it shows.

Everything is measured on the thumbnail, so that it costs next to nothing beside decoding, and does not depend on how
many pixels the camera had. A blur smaller than a pixel of the thumbnail therefore goes unseen, here as in the network.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int, UInt8
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
# Computed at once, in 4 MB; more at once take no less time each (measured here, 2026-11-22).
_BLOCK = 64

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


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """What the appearance of a picture is computed from.

    Attributes:
        luma: Of the picture at `_SIDE`.
        colours: Red, green and blue, at half of that.
        jpeg_quality: As in `Appearance`.
    """

    luma: UInt8[np.ndarray, "height width"]
    colours: UInt8[np.ndarray, "half_height half_width 3"]
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
    return appearances([tones(small, stored)])[0]


def tones(small: Image.Image, stored: Image.Image | None = None) -> Tones:
    """What has to be taken of one picture while it is at hand; arguments as those of `appearance`."""
    factor = -(-max(small.size) // _SIDE)
    half = small.reduce(factor) if factor > 1 else small
    # Colours need still less detail, and a quarter of the pixels takes a quarter of the time.
    luma, colours = np.asarray(half.convert("L")), np.asarray(half.reduce(2))
    return Tones(luma, colours, jpeg_quality(getattr(stored, "quantization", None) or {}))


def appearances(several: Sequence[Tones]) -> list[Appearance]:
    """The numbers of many pictures, in their order: those of one size are computed together."""
    of_size: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, one in enumerate(several):
        of_size[one.luma.shape].append(index)
    found: dict[int, Appearance] = {}
    for indices in of_size.values():
        for start in range(0, len(indices), _BLOCK):
            block = indices[start : start + _BLOCK]
            found.update(zip(block, _of_one_size([several[index] for index in block]), strict=True))
    return [found[index] for index in range(len(several))]


def _of_one_size(several: Sequence[Tones]) -> list[Appearance]:
    luma = np.stack([one.luma for one in several])
    # Colour by colour, for sums along rows are ten times as fast as sums of every third value.
    colours = np.stack([one.colours.reshape(-1, 3).T for one in several]).astype(np.int16, order="C")
    n_pixels = colours.shape[2]
    means = colours.sum(axis=2, dtype=np.int32) / (255 * n_pixels)
    apart = np.abs(colours[:, :2] - colours[:, 1:]).sum(axis=(1, 2), dtype=np.int32)
    brightness, contrast, dark_end, light_end = _lightness(luma)
    border, border_luma = _borders(luma)
    columns = {
        "brightness": brightness,
        "contrast": contrast,
        "dark_end": dark_end,
        "light_end": light_end,
        "sharpness": _sharpness(luma.astype(np.int16)),
        "red": means[:, 0],
        "green": means[:, 1],
        "blue": means[:, 2],
        "is_grey": apart <= _GREY * n_pixels,
        "is_flat": (contrast == 0) & (colours == colours[..., :1]).all(axis=(1, 2)),
        "border": border,
        "border_luma": border_luma,
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        Appearance(**dict(zip(columns, row, strict=True)), jpeg_quality=one.jpeg_quality)
        for row, one in zip(rows, several, strict=True)
    ]


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


def _lightness(luma: UInt8[np.ndarray, "pictures height width"]) -> Float[np.ndarray, "4 pictures"]:
    """Mean, deviation, 1st and 99th percentile of the luma."""
    n_pictures, n = len(luma), luma[0].size
    places = luma.reshape(n_pictures, -1) + 256 * np.arange(n_pictures)[:, None]
    counts = np.bincount(places.reshape(-1), minlength=256 * n_pictures).reshape(n_pictures, 256)
    total, squares = counts @ _LEVELS, counts @ _SQUARES
    up_to = counts.cumsum(axis=1)
    dark_end, light_end = ((up_to < share * n).sum(axis=1) for share in (0.01, 0.99))
    return np.stack([total / n / 255, np.sqrt(squares * n - total**2) / n / 255, dark_end / 255, light_end / 255])


def _sharpness(luma: Int[np.ndarray, "pictures height width"]) -> Float[np.ndarray, " pictures"]:
    """Mean second difference over mean first difference, in the field where that is highest."""
    if min(luma.shape[1:]) < 3 * _FIELDS:
        return np.zeros(len(luma))
    down, right = luma[:, 1:, 1:-1] - luma[:, :-1, 1:-1], luma[:, 1:-1, 1:] - luma[:, 1:-1, :-1]
    first = _field_sums(np.abs(down[:, 1:]) + np.abs(right[..., 1:]))
    second = _field_sums(np.abs(down[:, 1:] - down[:, :-1]) + np.abs(right[..., 1:] - right[..., :-1]))
    # A field where little happens says nothing: rounding alone would look sharp.
    least = np.maximum(first.sum(axis=1, keepdims=True) / first.shape[1], 1.0)
    sharpness: Float[np.ndarray, " pictures"] = np.where(first >= least, second / np.maximum(first, 1), 0.0).max(axis=1)
    return sharpness


def _field_sums(change: Int[np.ndarray, "pictures height width"]) -> Int[np.ndarray, "pictures fields"]:
    n_pictures, height, width = change.shape
    height //= _FIELDS
    # A field is at most 16 rows high, so a column's sum stays below 16 x 1020 and fits 16 bits.
    fields = change[:, : height * _FIELDS].reshape(n_pictures, _FIELDS, height, width)
    columns = fields.sum(axis=2, dtype=np.int16)
    starts = [width * field // _FIELDS for field in range(_FIELDS)]
    return np.add.reduceat(columns, starts, axis=2, dtype=np.int32).reshape(n_pictures, -1)


def _borders(luma: UInt8[np.ndarray, "pictures height width"]) -> Float[np.ndarray, "2 pictures"]:
    """Share of the area in uniform rows and columns along the edges, and their luma."""
    edges = (luma[:, 0], luma[:, -1], luma[:, :, 0], luma[:, :, -1])
    is_framed = np.any([np.ptp(edge, axis=1) <= _UNIFORM for edge in edges], axis=0)
    found = np.zeros((2, len(luma)))
    for index in np.flatnonzero(is_framed):  # few
        found[:, index] = _border(luma[index])
    return found


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
