"""Bytes of a picture file -> pixels: the one pixel path of check, train, evaluate, predict and export.

What happens to every picture, in this order:

1. Open: JPEG (MPO too), PNG, WebP, GIF, BMP or TIFF by content, whatever the file is called. First frame.
2. Refuse what is too large by its header, before a pixel is decoded.
3. Decode whole; a file that ends too early is an error. JPEGs much larger than needed are decoded at 1/2, 1/4 or
   1/8 of their size (libjpeg's own scaling), never below twice the size that the network needs.
4. Turn as the EXIF orientation says.
5. To RGB: grey is repeated; 16-bit grey is divided by 257; palettes are looked up; what is transparent is
   laid on white; CMYK, YCbCr, LAB and HSV as Pillow converts them; 32-bit float pictures are refused, for nobody knows
   their range.
6. Resize the short side to `resize` and cut the `crop` x `crop` centre, in one step.
"""

import hashlib
import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from heldout.memory_limits import has_room

# MPO, several JPEGs in one file, is opened by the plugin for JPEG.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
# 50 million pixels are 150 MB of RGB; the largest phone pictures in common use have 48 (2026).
MAX_PIXELS = 50_000_000
# What decoding takes at most. Of Pillow's four bytes a pixel, a transparent picture laid on white is held six times;
# its memory comes in blocks of 16 MiB.
_BYTES_PER_PIXEL, _BYTES_BESIDE = 24, 2**24
# A decoder that cannot be loaded, for want of memory too, Pillow takes for one that is not installed.
_PLUGINS = ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Tiff", "WebP")
_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# How files of phones begin that are often called .jpg.
_OF_PHONES = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"))
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")
_TRANSPARENT_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
# What undoes each EXIF orientation; 1 is upright, and other numbers mean nothing.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadablePicture(Exception):
    """These bytes cannot be used as a picture; the message is the reason, for a person.

    Attributes:
        may_be_memory: Whether want of memory could look like this: it failed while memory was asked for.
    """

    may_be_memory = False


class _Undecodable(UnreadablePicture):
    may_be_memory = True


@dataclass(frozen=True, slots=True)
class PixelPath:
    """How a decoded picture becomes the input of a network.

    Attributes:
        resize: Length of the short side after resizing, pixels.
        crop: Side of the square cut from the centre, pixels; at most `resize`.
        interpolation: `bilinear` or `bicubic`, both with antialiasing.
        mean: Subtracted from each channel, in units where white is 1.
        std: Then divided by.
    """

    resize: int
    crop: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def key(self) -> str:
        """A short text that differs whenever the pixels could."""
        numbers = ",".join(f"{value:g}" for value in (*self.mean, *self.std))
        return f"1:{self.resize}:{self.crop}:{self.interpolation}:{numbers}"

    @property
    def canvas(self) -> "PixelPath":
        """The same path with nothing cut off but the square: what augmentation crops from."""
        return PixelPath(self.resize, self.resize, self.interpolation, self.mean, self.std)


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of one readable picture file.

    Attributes:
        width: Pixels, after the EXIF orientation.
        height: Pixels, after the EXIF orientation.
        mode: Pillow's name of the colour mode as stored.
        format: Pillow's name of the file format.
        n_bytes: Size of the file.
        sha256: Of the file's bytes, hexadecimal.
        pixels: 128 bits of the SHA-256 of size and pixels, hexadecimal: equal for the same picture in
            another lossless format.
    """

    width: int
    height: int
    mode: str
    format: str
    n_bytes: int
    sha256: str
    pixels: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded picture.

    Attributes:
        image: RGB, upright.
        facts: What is known of its file.
        stored: As it came from the file, with what the file says beside the pixels.
    """

    image: Image.Image
    facts: PictureFacts
    stored: Image.Image


@contextmanager
def pictures_guarded() -> Iterator[None]:
    """Within: Pillow's warnings about bombs and damaged metadata are not shown, for `decode` judges itself.

    The filters of `warnings` are one state for all threads, so this goes around a whole pass and not into `decode`.

    Raises:
        MemoryError: There is not enough to begin with.
    """
    _import_plugins()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", module=r"PIL\..*")
        yield


def decode(
    data: bytes, *, sha256: str | None = None, short_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Decoded:
    """The picture in `data`, upright and in RGB.

    Args:
        data: The whole file.
        sha256: Of `data` where the caller has it already, hexadecimal.
        short_side: The short side that is needed, pixels; large JPEGs are decoded at a fraction that leaves at least
            twice as much. None decodes at full size.
        max_pixels: Pictures with more are refused by their header.

    Raises:
        UnreadablePicture: Not a picture, cut short, damaged, too large, or of a mode without a known range.
        MemoryError: There is not enough to decode a picture of that size, so nothing can be said of the file.
    """
    if not data:
        raise UnreadablePicture("the file is empty (0 bytes)")
    width, height = _size_of_webp(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as stored:
            width, height = stored.size
            return _decode_open(stored, data, sha256, short_side, max_pixels)
    except UnreadablePicture:
        raise
    except Image.DecompressionBombError:
        raise UnreadablePicture("far too many pixels by its header: possibly a bomb") from None
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, zlib.error ...
        if isinstance(error, UnidentifiedImageError) and (reason := _why_no_picture(data)):
            raise UnreadablePicture(reason) from None
        if reason := reason_too_large(width, height, max_pixels):
            raise UnreadablePicture(reason) from None
        if not has_room(_BYTES_PER_PIXEL * width * height + _BYTES_BESIDE):
            raise MemoryError(f"no room to decode {width} x {height} pixels") from error
        raise _Undecodable(_why_undecodable(error)) from None


def _import_plugins() -> None:
    """Import what reads pictures now: later, with many in flight, there can be no room for it."""
    for kind in _PLUGINS:
        plugin = import_module(f"PIL.{kind}ImagePlugin")
        if not getattr(plugin, "SUPPORTED", True) and not has_room(_BYTES_BESIDE):
            raise MemoryError(f"no room to load the decoder of {kind}")


def _size_of_webp(data: bytes) -> tuple[int, int]:
    """Width and height that a WebP file claims; zeros for other files, whose pixels are not asked for when opened.

    Source: RFC 9649, WebP Image Format, 2.5 to 2.7 and 3.4.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return 0, 0
    kind, little = data[12:16], partial(int.from_bytes, byteorder="little")
    if kind == b"VP8X":
        return little(data[24:27]) + 1, little(data[27:30]) + 1
    if kind == b"VP8L":
        return (little(data[21:25]) & 0x3FFF) + 1, (little(data[21:25]) >> 14 & 0x3FFF) + 1
    return little(data[26:28]) & 0x3FFF, little(data[28:30]) & 0x3FFF


def _why_no_picture(data: bytes) -> str:
    """Why bytes that Pillow does not know are none of its pictures; empty where they begin like one."""
    if data[4:12] in _OF_PHONES:
        return "HEIC or AVIF, which is not read here: save it as JPEG or PNG"
    if data.startswith(_BEGINNINGS):
        return ""
    return f"not a JPEG, PNG, WebP, GIF, BMP or TIFF (starts with {data[:8]!r})"


def _why_undecodable(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "damaged: its header cannot be understood"
    if isinstance(error, MemoryError):
        return "damaged: it asks for more memory than a picture of its size needs"
    return f"damaged: {_first_line(error)}"


def _decode_open(
    stored: Image.Image, data: bytes, sha256: str | None, short_side: int | None, max_pixels: int
) -> Decoded:
    width, height = stored.size
    if reason := reason_too_large(width, height, max_pixels):
        raise UnreadablePicture(reason)
    mode, file_format = stored.mode, stored.format or "?"
    if short_side is not None and file_format in {"JPEG", "MPO"}:
        needed = 2 * short_side
        stored.draft("RGB", (needed * width // min(width, height), needed * height // min(width, height)))
    stored.load()
    orientation = _orientation(stored)
    image = to_rgb(stored.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else stored)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    fingerprint = hashlib.sha256(f"{width}x{height}".encode())
    fingerprint.update(_pixel_bytes(image))
    return Decoded(
        image=image,
        stored=stored,
        facts=PictureFacts(
            width=width,
            height=height,
            mode=sys.intern(mode),
            format=sys.intern(file_format),
            n_bytes=len(data),
            sha256=sha256 or hashlib.sha256(data).hexdigest(),
            pixels=fingerprint.hexdigest()[:32],
        ),
    )


def _pixel_bytes(image: Image.Image) -> Any:
    """The pixels of an RGB picture, four bytes each as Pillow holds them, the last of which is 255.

    Seen through Arrow they need not be copied, which takes as long as half the decoding.
    """
    import pyarrow as pa

    try:
        return pa.array(image).buffers()[-1]
    except ValueError:  # a large picture lies in several pieces
        return image.tobytes("raw", "RGBX")


def reason_too_large(width: int, height: int, max_pixels: int) -> str:
    """Why a picture of that size is refused; empty where it is not.

    Example:
        >>> reason_too_large(30, 20, 600), reason_too_large(30, 20, 599)
        ('', '30 x 20 pixels by its header, more than the limit of 599: possibly a bomb')
    """
    if width * height <= max_pixels:
        return ""
    return f"{width} x {height} pixels by its header, more than the limit of {max_pixels:,}: possibly a bomb"


def _orientation(stored: Image.Image) -> int:
    try:
        orientation = stored.getexif().get(0x0112, 1)
    except Exception:  # a malformed EXIF block says nothing about orientation, and the pixels are whole
        return 1
    return orientation if isinstance(orientation, int) else 1


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{text[0] if text else type(error).__name__}"[:200]


def to_rgb(image: Image.Image) -> Image.Image:
    """The picture in mode RGB, by the rule at the top of this file.

    Raises:
        UnreadablePicture: The mode has no agreed range (32-bit float, or 32-bit integers beyond 16 bits).
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        return _from_integers(image)
    if image.mode in _TRANSPARENT_MODES or "transparency" in image.info:
        upright = image.convert("RGBA")
        white = Image.new("RGBA", upright.size, "white")
        return Image.alpha_composite(white, upright).convert("RGB")
    if image.mode == "F":
        raise UnreadablePicture("32-bit float pixels, whose range nobody knows; store it with 8 or 16 bits")
    return image.convert("RGB")


def _from_integers(image: Image.Image) -> Image.Image:
    """The RGB picture of 16-bit grey, whose transparent value (PNG has at most one) becomes white."""
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise UnreadablePicture(f"mode {image.mode} with values outside 0 to 65535, whose range nobody knows")
    grey = (values // 257).astype(np.uint8)
    if isinstance(transparent := image.info.get("transparency"), int):
        grey[values == transparent] = 255
    return Image.fromarray(grey).convert("RGB")


def to_pixels(image: Image.Image, path: PixelPath) -> UInt8[np.ndarray, "crop crop 3"]:
    """The centre of an RGB picture as the network gets it, before it is normalised.

    Sizes and offsets are those of torchvision's `Resize` and `CenterCrop` (long side rounded down, offset rounded to
    even); the two are one resampling here. On photos its result differs from the two steps by at most 1 grey level.
    Where every weight is a tie of rounding (224 to 232 pixels) single values differ by 2, and on noise, whose
    overshoots are clipped between Pillow's two passes, by up to 4 (measured here, 2026-11-22).
    """
    width, height = image.size
    short = min(width, height)
    new_width, new_height = path.resize * width // short, path.resize * height // short
    left, top = round((new_width - path.crop) / 2), round((new_height - path.crop) / 2)
    x_scale, y_scale = width / new_width, height / new_height
    box = (left * x_scale, top * y_scale, (left + path.crop) * x_scale, (top + path.crop) * y_scale)
    # The last digit of a product can lie outside the picture, which Pillow refuses.
    box = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))
    return np.asarray(image.resize((path.crop, path.crop), _RESAMPLING[path.interpolation], box=box))
