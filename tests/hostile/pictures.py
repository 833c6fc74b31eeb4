"""Files that are called pictures: damaged, lying about their size, of odd kinds, or good ones that look odd."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_MOST_IN_PIECE = 2**20


def drawn(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """A picture that no other seed gives: a gradient of two colours and some noise."""
    generator = np.random.default_rng(seed)
    corners = generator.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    return Image.fromarray(np.clip(smooth + generator.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes, *, extra: bytes = b"", behind: bytes = b"") -> bytes:
    """An RGB PNG with a header and compressed rows as they are given, and chunks before and behind the rows."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", rows) + behind + chunk(b"IEND", b"")


def deflated(n_bytes: int) -> bytes:
    """So many letters A, deflated, without ever having them all."""
    packer = zlib.compressobj(1)
    piece = b"A" * _MOST_IN_PIECE
    return b"".join(packer.compress(piece) for _ in range(n_bytes // len(piece))) + packer.flush()


def _jpeg(seed: int = 0, **options: Any) -> bytes:
    return saved(drawn(seed=seed), "JPEG", quality=90, **options)


def _cut(kind: str, share: float) -> bytes:
    data = saved(drawn(), kind)
    return data[: int(share * len(data))]


def _flipped(data: bytes, step: int) -> bytes:
    """The same with one bit of every `step`-th byte turned over."""
    return bytes(byte ^ (place % step == step - 1) for place, byte in enumerate(data))


def _bad_checksum() -> bytes:
    data = bytearray(saved(drawn(), "PNG"))
    data[data.index(b"IDAT") + 40] ^= 0xFF
    return bytes(data)


def _with_exif(block: bytes) -> bytes:
    data = _jpeg(seed=30)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def turned(orientation: int) -> bytes:
    """A JPEG, 40 x 30 as stored, with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(drawn(40, 30, seed=40 + orientation), "JPEG", exif=exif)


def _gif_of_many_frames(n_frames: int) -> bytes:
    start = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes([255, 0, 0, 0, 0, 255])
    frame = b"\x21\xf9\x04\0\1\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return start + frame * n_frames + b";"


def _apng_of_many_frames(n_frames: int) -> bytes:
    rows = zlib.compress(b"\0\xff\0\0")
    control = chunk(b"acTL", struct.pack(">II", n_frames, 0))
    first = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 10, 0, 0))
    others = bytearray()
    for number in range(1, n_frames):
        others += chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * number - 1, 1, 1, 0, 0, 1, 10, 0, 0))
        others += chunk(b"fdAT", struct.pack(">I", 2 * number) + rows)
    return png(1, 1, rows, extra=control + first, behind=bytes(others))


def _polyglot() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.sh", "rm -rf /")
    return _jpeg(seed=50) + archive.getvalue()


def _frames(kind: str, **options: Any) -> bytes:
    return saved(drawn(seed=51), kind, save_all=True, append_images=[drawn(seed=52), drawn(seed=53)], **options)


def _palette_with_transparency() -> bytes:
    image = drawn(seed=54).quantize(16)
    return saved(image, "PNG", transparency=bytes(range(0, 256, 16)))


def _sixteen_bits() -> Image.Image:
    return Image.fromarray(np.random.default_rng(55).integers(0, 65536, (48, 64)).astype(np.uint16))


_FITS = b"SIMPLE  =                    T".ljust(80) + b"BITPIX  =                    8".ljust(80)
_NO_KIND = r"^not a JPEG, PNG, WebP, GIF, BMP or TIFF \(starts with "


@dataclass(frozen=True, slots=True)
class Bad:
    """A file that is refused, and the reason, a regular expression."""

    name: str
    make: Callable[[], bytes]
    reason: str


@dataclass(frozen=True, slots=True)
class Odd:
    """A file that is read: mode and format as stored, and the size of the upright picture."""

    name: str
    make: Callable[[], bytes]
    mode: str = "RGB"
    format: str = "JPEG"
    size: tuple[int, int] = (64, 48)


BAD = (
    Bad("empty.jpg", lambda: b"", r"^the file is empty \(0 bytes\)$"),
    Bad("zero bytes.jpg", lambda: bytes(4096), _NO_KIND),
    Bad("a page that says 404.jpg", lambda: b"<!doctype html><title>404 Not Found</title>", _NO_KIND),
    Bad("JPEG cut in half.jpg", lambda: _cut("JPEG", 0.5), "damaged: Truncated"),
    Bad("JPEG cut by 2 bytes.jpg", lambda: _jpeg()[:-2], "damaged: image file is truncated"),
    Bad("JPEG cut to 10 bytes.jpg", lambda: _jpeg()[:10], "damaged: Truncated"),
    Bad("JPEG with every 97th byte wrong.jpg", lambda: _flipped(_jpeg(), 97), "damaged"),
    Bad("PNG cut in half.png", lambda: _cut("PNG", 0.5), "damaged"),
    Bad("PNG with a wrong checksum.png", _bad_checksum, "damaged"),
    Bad("WebP cut in half.webp", lambda: _cut("WEBP", 0.5), "^damaged: "),
    Bad("TIFF cut in half.tif", lambda: _cut("TIFF", 0.5), "^damaged: "),
    Bad("GIF cut in half.gif", lambda: _cut("GIF", 0.5), "damaged"),
    Bad("BMP cut in half.bmp", lambda: _cut("BMP", 0.5), "damaged"),
    Bad("30000 x 30000.png", lambda: png(30_000, 30_000, zlib.compress(bytes(100))), "bomb"),
    Bad("11000 x 11000.png", lambda: png(11_000, 11_000, zlib.compress(bytes(100))), "50,000,000: possibly a bomb"),
    Bad("9000 x 9000.png", lambda: png(9000, 9000, deflated(9000 * 27001)), "50,000,000: possibly a bomb"),
    Bad("0 x 0.png", lambda: png(0, 0, zlib.compress(b"")), "^damaged: its header"),
    Bad("2147483647 x 1.png", lambda: png(2**31 - 1, 1, zlib.compress(b"")), "bomb|damaged"),
    Bad("text of 200 MB.png", lambda: _stuffed(b"zTXt"), "damaged: Decompressed data too large"),
    Bad("profile of 200 MB.png", lambda: _stuffed(b"iCCP"), "damaged: Decompressed data too large"),
    Bad("SVG.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", _NO_KIND),
    Bad("EPS.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", _NO_KIND),
    Bad("PDF.png", lambda: saved(drawn(), "PDF"), _NO_KIND),
    Bad("FITS.png", lambda: _FITS.ljust(2880), _NO_KIND),
    Bad("PSD.png", lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(12), _NO_KIND),
    Bad("ICO.png", lambda: saved(drawn(32, 32), "ICO"), _NO_KIND),
    Bad("AVIF.jpg", lambda: b"\0\0\0\x1cftypavif" + bytes(200), "^HEIC or AVIF"),
    Bad("HEIC.jpg", lambda: b"\0\0\0\x18ftypheic" + bytes(200), "^HEIC or AVIF"),
    Bad("numbers of 32 bits.tif", lambda: saved(drawn().convert("F"), "TIFF"), "32-bit float"),
)
ODD = (
    Odd("100,000 frames.gif", lambda: _gif_of_many_frames(100_000), "P", "GIF", (1, 1)),
    Odd("100,000 frames.png", lambda: _apng_of_many_frames(100_000), "RGB", "PNG", (1, 1)),
    Odd("frames.webp", lambda: _frames("WEBP"), "RGB", "WEBP"),
    Odd("MPO called PNG.png", lambda: _frames("MPO"), format="MPO"),
    Odd("JPEG called PNG.png", lambda: _jpeg(seed=56)),
    Odd("JPEG and ZIP.jpg", _polyglot),
    Odd("CMYK.jpg", lambda: saved(drawn(seed=57).convert("CMYK"), "JPEG"), "CMYK"),
    Odd("16 bits.png", lambda: saved(_sixteen_bits(), "PNG"), "I;16", "PNG"),
    Odd("1 bit.png", lambda: saved(drawn(seed=58).convert("1"), "PNG"), "1", "PNG"),
    Odd("palette.png", _palette_with_transparency, "P", "PNG"),
    Odd("grey with transparency.png", lambda: saved(drawn(seed=59).convert("LA"), "PNG"), "LA", "PNG"),
    Odd("orientation 99.jpg", lambda: turned(99), size=(40, 30)),
    Odd("60 KB of damaged EXIF.jpg", lambda: _with_exif(b"Exif\0\0" + b"\xff" * 60_000)),
    Odd("1 x 1.png", lambda: saved(drawn(1, 1, seed=60), "PNG"), "RGB", "PNG", (1, 1)),
    Odd("1 x 20000.png", lambda: saved(drawn(1, 20_000, seed=61), "PNG"), "RGB", "PNG", (1, 20_000)),
    Odd("20000 x 1.png", lambda: saved(drawn(20_000, 1, seed=62), "PNG"), "RGB", "PNG", (20_000, 1)),
    *(
        Odd(f"orientation {number}.jpg", partial(turned, number), size=(40, 30) if number < 5 else (30, 40))
        for number in range(2, 9)
    ),
)


def _stuffed(kind: bytes) -> bytes:
    """An 8 x 8 PNG with a chunk that inflates to 200 MB."""
    return png(8, 8, zlib.compress(bytes(8 * 25)), extra=chunk(kind, b"c\0\0" + deflated(200 * 2**20)))


def write_all(root: Path) -> Path:
    """Every file of both tables, in two classes: `bad` and `odd`."""
    for kind, files in (("bad", BAD), ("odd", ODD)):
        for file in files:
            path = root / kind / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.make())
    return root
