"""One picture -> its signature; two signatures -> how alike the pictures are.

A signature is a small grey copy of the whole picture, stretched to a square and normalised to mean 0 and deviation 1,
with the mean colour and the contrast that the normalising took out. Re-encoding, resizing and a change of brightness
hardly move it. What a crop or a flip does to it can be computed from it: those are the views.

Two pictures are compared by the cosine between their squares, in the frequency domain. Natural pictures are alike in
their low frequencies (a bright thing on a dark ground), and a resampled copy differs in the high ones, so the
middle counts most: a frequency f (half waves a side) is weighted by f exp(-(f / 10)^2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt64
from PIL import Image

# Part of every stored signature's key: it goes up when the same picture would get another signature.
SIGNATURE_VERSION = 2
GREY_SIDE = 20
_N_PIXELS = GREY_SIDE * GREY_SIDE
SIGNATURE_BYTES = _N_PIXELS + 4
# Levels of the stored square are 128 + 40 deviations: 3.2 deviations fit, and what is beyond is clipped (assumed).
_LEVELS_A_DEVIATION = 40
# Signatures computed at once, in 4 MB; more at once take no less time each (measured here, 2026-11-22).
_BLOCK = 256
# In thousandths: ITU-R BT.601, as in JPEG and in Pillow's "L".
_LUMA = np.array([299.0, 587.0, 114.0])

# Chosen on 10,139 pictures: of 4 to 14 cosines a side and five weightings this one, with 5 % crops of flower photos
# found in 99 of 100, had the fewest pairs of different pictures above it (measured here, 2026-11-22).
_N_COSINES = 14
_WEIGHT_FALLS_AT = 10.0
_HASH_BITS = 64
# What is cut off each view, as shares of the side: left, right, top, bottom. A crop between two of them lies near both.
_CUT = 0.05
_CUTS = (
    (0.0, 0.0, 0.0, 0.0),
    (_CUT / 2, _CUT / 2, _CUT / 2, _CUT / 2),
    (_CUT, 0.0, 0.0, 0.0),
    (0.0, _CUT, 0.0, 0.0),
    (0.0, 0.0, _CUT, 0.0),
    (0.0, 0.0, 0.0, _CUT),
)
# View 2 c is cut c, view 2 c + 1 the same flipped left to right. View 0 is the picture itself.
N_VIEWS = 2 * len(_CUTS)


def signature(small: Image.Image) -> bytes:
    """The signature of a picture from its small copy.

    Args:
        small: The whole picture, upright, RGB, as `impressions.shrunk` makes it.

    Returns:
        `SIGNATURE_BYTES` bytes: the normalised grey square, row by row; the mean of red, green and blue; the
        standard deviation of the grey square, in quarters of a grey level.

    Example:
        >>> grey = Image.new("RGB", (30, 20), (10, 20, 30))
        >>> len(signature(grey)) == SIGNATURE_BYTES, list(signature(grey)[-4:])
        (True, [10, 20, 30, 0])
    """
    stored: bytes = signatures_of([square(small)]).tobytes()
    return stored


def square(small: Image.Image) -> bytes:
    """All that a signature needs of a small copy: red, green and blue of its square, row by row."""
    return small.resize((GREY_SIDE, GREY_SIDE), Image.Resampling.BOX).tobytes()


def signatures_of(squares: Sequence[bytes]) -> UInt8[np.ndarray, "pictures bytes"]:
    """The signatures of pictures from their squares, one row each, as `signature` gives them.

    For many at once: for a single picture nine tenths of the time are calls of numpy.
    """
    rows = np.empty((len(squares), SIGNATURE_BYTES), np.uint8)
    for start in range(0, len(squares), _BLOCK):
        rows[start : start + _BLOCK] = _block_of_signatures(squares[start : start + _BLOCK])
    return rows


def _block_of_signatures(squares: Sequence[bytes]) -> UInt8[np.ndarray, "pictures bytes"]:
    colours = np.frombuffer(b"".join(squares), np.uint8).reshape(-1, _N_PIXELS, 3).astype(np.float64)
    # In thousandths of a level, so that all sums are whole numbers: exact, and the same on every machine.
    grey = colours @ _LUMA
    mean = grey.sum(axis=1) / _N_PIXELS
    deviation = np.sqrt(np.maximum(np.einsum("pi,pi->p", grey, grey) / _N_PIXELS - mean**2, 0.0))
    grey -= mean[:, None]
    grey *= (_LEVELS_A_DEVIATION / np.maximum(deviation, 1.0))[:, None]
    grey += 128.5  # half a level more, for the conversion to whole numbers rounds down
    rows = np.empty((len(colours), SIGNATURE_BYTES), np.uint8)
    rows[:, :_N_PIXELS] = np.clip(grey, 0.0, 255.0)
    rows[:, _N_PIXELS:-1] = (np.ones(_N_PIXELS) @ colours + _N_PIXELS // 2) // _N_PIXELS
    rows[:, -1] = np.minimum(np.rint(deviation * 4 / 1000), 255)
    return rows


def mean_colours(signatures: UInt8[np.ndarray, "pictures bytes"]) -> UInt8[np.ndarray, "pictures 3"]:
    """The mean red, green and blue of each picture, 0 to 255."""
    return signatures[:, _N_PIXELS:-1]


def contrasts(signatures: UInt8[np.ndarray, "pictures bytes"]) -> Float[np.ndarray, " pictures"]:
    """The standard deviation of each grey square, in grey levels; 63.75 and more are one."""
    return signatures[:, -1] / np.float32(4.0)


def hashes(signatures: UInt8[np.ndarray, "pictures bytes"], view: int) -> UInt64[np.ndarray, " pictures"]:
    """64 bits a picture: the signs of the 64 lowest frequencies of a view, the lowest in the highest bit.

    All sums are of whole numbers that float32 holds exactly, so neither their order nor the machine matters.
    """
    bits = _levels(signatures) @ _basis(view // 2).matrix[:, :_HASH_BITS] > 0
    packed: UInt64[np.ndarray, " pictures"] = np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)
    return packed ^ flipped_bits(view) if view % 2 else packed


def flipped_bits(view: int) -> np.uint64:
    """The bits in which the hashes of a view and of its mirror image differ, for all pictures alike."""
    (bits,) = np.packbits(_basis(view // 2).is_odd[:_HASH_BITS]).view(">u8")
    return np.uint64(bits)


def spectra(signatures: UInt8[np.ndarray, "pictures bytes"], view: int) -> Float[np.ndarray, "pictures frequencies"]:
    """The weighted frequencies of a view of each picture, with a square sum of 1 (0 for a constant picture)."""
    basis = _basis(view // 2)
    weights = np.where(basis.is_odd, -basis.weights, basis.weights) if view % 2 else basis.weights
    weighted: Float[np.ndarray, "pictures frequencies"] = _levels(signatures) @ basis.matrix * weights
    weighted /= np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), np.float32(1e-6))
    return weighted


def n_details(spectrum: Float[np.ndarray, "pictures frequencies"]) -> Float[np.ndarray, " pictures"]:
    """How many frequencies a picture is effectively made of: 1 for a plain wave, many for a photo.

    Source: the participation ratio, (sum of squares)^2 / sum of fourth powers, for a square sum of 1.
    """
    fourth = np.maximum(np.sum(np.square(np.square(spectrum)), axis=1), np.float32(1e-6))
    details: Float[np.ndarray, " pictures"] = 1.0 / fourth
    return details


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    """What turns the squares into frequencies.

    Attributes:
        matrix: Whole numbers from -127 to 127: a square has levels of -128 to 127, so sums of 400 stay below 2^24.
        weights: Of each frequency, with the scale that made the numbers of `matrix` whole taken out again.
        is_odd: Frequencies that a flip turns round.
    """

    matrix: Float[np.ndarray, "pixels frequencies"]
    weights: Float[np.ndarray, " frequencies"]
    is_odd: Bool[np.ndarray, " frequencies"]


def _levels(signatures: UInt8[np.ndarray, "pictures bytes"]) -> Float[np.ndarray, "pictures pixels"]:
    return signatures[:, :_N_PIXELS].astype(np.float32) - np.float32(128)


@cache
def _basis(cut: int) -> _Basis:
    """Cosines of what a cut leaves, stretched to the square; the lowest frequency first, without the constant."""
    left, right, top, bottom = _CUTS[cut]
    across, down = _cosines() @ _stretched(left, 1.0 - right), _cosines() @ _stretched(top, 1.0 - bottom)
    rows, columns = np.divmod(np.arange(1, _N_COSINES**2), _N_COSINES)
    frequency = np.hypot(rows, columns)
    order = np.lexsort((rows, np.round(frequency, 6)))
    rows, columns, frequency = rows[order], columns[order], frequency[order]
    products = np.einsum("fy,fx->yxf", down[rows], across[columns]).reshape(_N_PIXELS, -1)
    scale = np.abs(products).max(axis=0) / 127.0
    weights = scale * frequency * np.exp(-((frequency / _WEIGHT_FALLS_AT) ** 2))
    return _Basis(np.rint(products / scale).astype(np.float32), weights.astype(np.float32), columns % 2 == 1)


def _cosines() -> Float[np.ndarray, "cosines side"]:
    """The first rows of the orthonormal discrete cosine transform of type 2."""
    turns = np.outer(np.arange(_N_COSINES), np.arange(GREY_SIDE) + 0.5) / (2 * GREY_SIDE)
    rows: Float[np.ndarray, "cosines side"] = np.cos(2 * np.pi * turns) * math.sqrt(2.0 / GREY_SIDE)
    rows[0] = math.sqrt(1.0 / GREY_SIDE)
    return rows


def _stretched(start: float, end: float) -> Float[np.ndarray, "side side"]:
    """What resamples the part of a line from `start` to `end` (shares of its length) to the whole length.

    Source: Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2.
    """
    places = (start + (end - start) * (np.arange(GREY_SIDE) + 0.5) / GREY_SIDE) * GREY_SIDE - 0.5
    matrix = np.zeros((GREY_SIDE, GREY_SIDE))
    for offset in (-1, 0, 1, 2):
        source = np.floor(places).astype(int) + offset
        far = np.abs(places - source)
        near_weight = 1.5 * far**3 - 2.5 * far**2 + 1
        weight = np.where(far < 1, near_weight, -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2)
        np.add.at(matrix, (np.arange(GREY_SIDE), np.clip(source, 0, GREY_SIDE - 1)), np.where(far < 2, weight, 0.0))
    return matrix
