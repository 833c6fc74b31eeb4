import gzip
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jaxtyping import UInt8
from PIL import Image, ImageOps

from heldout.data.pictures import decoding
from heldout.data.pictures.decoding import (
    PixelPath,
    UnreadablePicture,
    decode,
    pictures_guarded,
    to_pixels,
)
from heldout.models.backbones import BACKBONES

FLOWERS = Path(os.environ.get("HELDOUT_TEST_PHOTOS", "../shared/data/flower_photos"))
PATHS = sorted(
    {PixelPath(b.resize, b.crop, b.interpolation, b.mean, b.std) for b in BACKBONES.values()}, key=lambda path: path.key
)
# From 224 to 232 pixels the weights are 29ths, and both passes round ties.
TIES = (224, 224)
SIZES = [(640, 427), (427, 640), (501, 333), (224, 224), (257, 255), (31, 17), (1, 1), (1, 40), (300, 2), (1000, 259)]


@pytest.fixture(autouse=True)
def _guarded() -> Iterator[None]:
    """As every caller does; other warnings are still errors."""
    with pictures_guarded():
        yield


def noise(width: int, height: int, seed: int = 0, *, strength: int = 40) -> Image.Image:
    """Smooth colours with noise on them: low and high frequencies."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((width, height), 3)
    pixels = np.asarray(coarse).astype(int) + rng.integers(-strength, strength + 1, (height, width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def reference(image: Image.Image, path: PixelPath) -> UInt8[np.ndarray, "crop crop 3"]:
    """What torchvision's transforms make of it."""
    from heldout.models.timm_bridge import import_torchvision

    import_torchvision()
    from torchvision.transforms import v2

    kinds = {"bilinear": v2.InterpolationMode.BILINEAR, "bicubic": v2.InterpolationMode.BICUBIC}
    steps = [v2.Resize(path.resize, kinds[path.interpolation], antialias=True), v2.CenterCrop(path.crop)]
    return np.asarray(v2.Compose(steps)(image))


def most_apart(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


# The reference transform


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.key)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pixels_are_torchvisions_to_within_one_grey_level(path: PixelPath, size: tuple[int, int]) -> None:
    image = noise(*size, strength=6)
    got, wanted = to_pixels(image, path), reference(image, path)
    assert most_apart(got, wanted) <= (2 if size == TIES else 1)
    assert np.mean(np.abs(got.astype(int) - wanted.astype(int)) > 1) < 1e-4


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.key)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pixels_of_noise_are_torchvisions_but_for_a_few_grey_levels(path: PixelPath, size: tuple[int, int]) -> None:
    image = noise(*size)
    got, wanted = to_pixels(image, path), reference(image, path)
    assert most_apart(got, wanted) <= 5
    assert np.abs(got.astype(int) - wanted.astype(int)).mean() < 0.4


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.key)
def test_pixels_of_real_photos_are_torchvisions_to_within_one_grey_level(path: PixelPath) -> None:
    photos = sorted(FLOWERS.rglob("*.jpg"))[::60]
    if not photos:
        pytest.skip(f"no photos at {FLOWERS}")
    for photo in photos:
        data = photo.read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            wanted = reference(opened.convert("RGB"), path)
        assert most_apart(to_pixels(decode(data).image, path), wanted) <= 1


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.key)
def test_jpegs_decoded_at_a_fraction_of_their_size_stay_close_to_the_reference(path: PixelPath) -> None:
    data = saved(noise(2400, 1700).resize((2400, 1700)), "JPEG", quality=90)
    decoded = decode(data, short_side=path.resize)
    assert decoded.image.size in {(1200, 850), (2400, 1700)}
    assert (decoded.facts.width, decoded.facts.height) == (2400, 1700)
    with Image.open(io.BytesIO(data)) as opened:
        wanted = reference(opened.convert("RGB"), path)
    got = to_pixels(decoded.image, path)
    assert np.abs(got.astype(int) - wanted.astype(int)).mean() < 1.0


def test_a_fraction_leaves_at_least_twice_the_short_side_that_is_needed() -> None:
    data = saved(noise(2100, 1030), "JPEG")
    assert decode(data, short_side=257).image.size == (1050, 515)
    assert decode(data, short_side=258).image.size == (2100, 1030)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.key)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_centre_of_a_canvas_is_the_crop(path: PixelPath, size: tuple[int, int]) -> None:
    image = noise(*size, seed=1, strength=6)
    canvas = to_pixels(image, path.canvas)
    start = round((path.resize - path.crop) / 2)
    centre = canvas[start : start + path.crop, start : start + path.crop]
    assert most_apart(centre, to_pixels(image, path)) <= (2 if size == TIES else 1)


def test_keys_differ_whenever_the_pixels_could() -> None:
    assert len({path.key for path in PATHS} | {path.canvas.key for path in PATHS}) == 2 * len(PATHS)


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientations_are_undone(orientation: int, file_format: str) -> None:
    upright = noise(60, 40)
    # How a camera held in that way stores it: the inverse of what has to be done.
    turns: dict[int, Callable[[Image.Image], Image.Image]] = {
        1: lambda i: i,
        2: ImageOps.mirror,
        3: lambda i: i.rotate(180),
        4: ImageOps.flip,
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.rotate(90, expand=True),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.rotate(-90, expand=True),
    }
    stored = turns[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = (
        {"quality": 100, "subsampling": 0}
        if file_format == "JPEG"
        else {"lossless": True}
        if file_format == "WEBP"
        else {}
    )
    decoded = decode(saved(stored, file_format, exif=exif, **options))
    assert (decoded.facts.width, decoded.facts.height) == decoded.image.size == (60, 40)
    difference = np.abs(np.asarray(decoded.image).astype(int) - np.asarray(upright).astype(int))
    assert difference.mean() < (1.5 if file_format == "JPEG" else 1e-9)


def test_a_picture_whose_fraction_is_square_is_still_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(saved(noise(1002, 1001), "JPEG", exif=exif), short_side=60)
    assert decoded.image.size[0] == decoded.image.size[1]
    assert (decoded.facts.width, decoded.facts.height) == (1001, 1002)


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0" + b"\xff" * 60_000, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0", b"Exif\0\0II*\0"],
    ids=["60 KB", "cut", "empty", "no directory"],
)
def test_malformed_exif_is_no_trouble(block: bytes) -> None:
    data = saved(noise(40, 30), "JPEG")
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    assert decode(data).image.size == (40, 30)


def test_a_turned_picture_with_otherwise_damaged_exif_is_turned() -> None:
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">HHII", 0x8769, 4, 1, 0xFFFFFFF0)
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 2) + entries + b"\0\0\0\0"
    data = saved(noise(40, 30), "JPEG")
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    assert decode(data).image.size == (30, 40)


@pytest.mark.parametrize("orientation", [0, 9, 99])
def test_orientations_that_do_not_exist_turn_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode(saved(noise(40, 30), "JPEG", exif=exif)).image.size == (40, 30)


# Modes


def one_colour(mode: str, value: Any, file_format: str, **options: Any) -> tuple[int, ...]:
    pixel = decode(saved(Image.new(mode, (4, 3), value), file_format, **options)).image.getpixel((1, 1))
    assert isinstance(pixel, tuple)
    return tuple(int(part) for part in pixel)


@pytest.mark.parametrize(
    ("mode", "value", "file_format", "wanted"),
    [
        ("L", 77, "PNG", (77, 77, 77)),
        ("1", 1, "PNG", (255, 255, 255)),
        ("1", 0, "TIFF", (0, 0, 0)),
        ("LA", (40, 0), "PNG", (255, 255, 255)),
        ("LA", (40, 255), "PNG", (40, 40, 40)),
        ("RGBA", (10, 20, 30, 0), "PNG", (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), "PNG", (10, 20, 30)),
        ("RGBA", (0, 0, 0, 128), "PNG", (127, 127, 127)),
        ("CMYK", (0, 0, 0, 0), "TIFF", (255, 255, 255)),
        ("CMYK", (0, 0, 0, 255), "TIFF", (0, 0, 0)),
        ("CMYK", (255, 0, 0, 0), "TIFF", (0, 255, 255)),
        ("I;16", 65535, "PNG", (255, 255, 255)),
        ("I;16", 257 * 9, "PNG", (9, 9, 9)),
        ("I;16", 257 * 9, "TIFF", (9, 9, 9)),
        ("I;16", 256, "PNG", (0, 0, 0)),
        ("I", 257 * 9, "TIFF", (9, 9, 9)),
        ("P", 0, "PNG", (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb_by_the_rule(mode: str, value: Any, file_format: str, wanted: tuple[int, ...]) -> None:
    assert one_colour(mode, value, file_format) == wanted


def test_cmyk_and_grey_jpegs_become_rgb() -> None:
    white = decode(saved(Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "JPEG"), short_side=2)
    assert (white.facts.mode, white.image.getpixel((3, 3))) == ("CMYK", (255, 255, 255))
    grey = decode(saved(Image.new("L", (16, 16), 90), "JPEG"), short_side=2)
    assert (grey.facts.mode, grey.image.mode, grey.image.getpixel((0, 0))) == ("L", "RGB", (90, 90, 90))


def test_ycbcr_tiffs_become_rgb() -> None:
    picture = Image.new("RGB", (8, 8), (200, 50, 50)).convert("YCbCr")
    pixel = decode(saved(picture, "TIFF")).image.getpixel((2, 2))
    assert most_apart(np.array(pixel), np.array([200, 50, 50])) <= 3


def test_transparent_palettes_are_laid_on_white() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    shown = decode(saved(picture, "PNG", transparency=0)).image
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (40, 50, 60)]
    shown = decode(saved(picture, "PNG", transparency=b"\xff\x00")).image
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [(10, 20, 30), (255, 255, 255)]


def test_the_transparent_value_of_16_bit_grey_is_white_and_the_rest_is_divided() -> None:
    picture = Image.fromarray(np.array([[257 * 3, 257 * 200]], np.uint16))
    shown = decode(saved(picture, "PNG", transparency=257 * 3)).image
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (200, 200, 200)]


@pytest.mark.parametrize(
    ("mode", "value", "reason"), [("F", 0.5, "32-bit float"), ("I", 70_000, "outside 0 to 65535"), ("I", -1, "outside")]
)
def test_modes_without_a_known_range_are_refused(mode: str, value: float, reason: str) -> None:
    with pytest.raises(UnreadablePicture, match=reason):
        decode(saved(Image.new(mode, (4, 3), value), "TIFF"))


# Identity


def test_the_same_picture_has_the_same_pixels_in_every_lossless_format() -> None:
    picture = noise(33, 21)
    found = [decode(saved(picture, kind)).facts for kind in ("PNG", "BMP", "TIFF")]
    found.append(decode(saved(picture, "WEBP", lossless=True)).facts)
    assert len({facts.pixels for facts in found}) == 1
    assert len({facts.sha256 for facts in found}) == 4
    assert [facts.format for facts in found] == ["PNG", "BMP", "TIFF", "WEBP"]


def test_other_pictures_have_other_pixels() -> None:
    picture = noise(33, 21)
    others = [noise(33, 21, seed=1), ImageOps.mirror(picture), picture.crop((0, 0, 33, 20))]
    blank = [Image.new("RGB", (6, 4)), Image.new("RGB", (4, 6)), Image.new("RGB", (3, 8))]
    assert len({decode(saved(one, "PNG")).facts.pixels for one in (picture, *others, *blank)}) == 7


@pytest.mark.parametrize(("file_format", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_the_first_frame_is_taken(file_format: str, options: dict[str, Any]) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    data = saved(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    assert decode(data).image.getpixel((4, 4)) == (255, 0, 0)


def test_a_picture_with_something_behind_it_is_read() -> None:
    assert decode(saved(noise(9, 9), "PNG") + b"PK\x03\x04" + bytes(500)).image.size == (9, 9)


# What is no picture


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def bad_crc() -> bytes:
    data = bytearray(saved(noise(64, 64), "PNG"))
    data[data.index(b"IDAT") + 40] ^= 0xFF
    return bytes(data)


PHOTO = saved(noise(320, 200), "JPEG")
NO_PICTURES = {
    "empty": (b"", r"empty \(0 bytes\)"),
    "NULs": (bytes(4096), "not a JPEG"),
    "HTML": (b"<!doctype html><title>404</title>", "not a JPEG"),
    "JPEG cut in the middle": (PHOTO[: len(PHOTO) // 2], "truncated"),
    "JPEG cut by 2 bytes": (PHOTO[:-2], "truncated"),
    "JPEG cut by 10 bytes": (PHOTO[:-10], "truncated"),
    "JPEG cut to 10 bytes": (PHOTO[:10], "not a JPEG|damaged"),
    "PNG cut": (saved(noise(64, 64), "PNG")[:5000], "damaged"),
    "GIF cut": (saved(noise(64, 64).quantize(), "GIF")[:2000], "damaged"),
    "WebP cut": (saved(noise(64, 64), "WEBP")[:500], "damaged|not a JPEG"),
    "TIFF cut": (saved(noise(64, 64), "TIFF")[:6000], "damaged|not a JPEG"),
    "BMP cut": (saved(noise(64, 64), "BMP")[:6000], "damaged"),
    "PNG with a bad checksum": (bad_crc(), "damaged"),
    "bomb": (png(30_000, 30_000, zlib.compress(bytes(100))), "bomb"),
    "beyond Pillow's warning": (png(11_000, 11_000, zlib.compress(bytes(100))), "11000 x 11000 pixels .* 50,000,000"),
    "beyond our limit": (png(9000, 9000, zlib.compress(bytes(100))), "9000 x 9000 pixels .* 50,000,000"),
    "no size": (png(0, 0, zlib.compress(b"")), "damaged|not a JPEG"),
    "one line of 2^31": (png(2**31 - 1, 1, zlib.compress(b"")), "bomb|damaged"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG"),
    "PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "not a JPEG"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a JPEG"),
    "gzip": (gzip.compress(bytes(1000)), "not a JPEG"),
}


@pytest.mark.parametrize(("data", "reason"), NO_PICTURES.values(), ids=NO_PICTURES.keys())
def test_what_is_no_whole_picture_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadablePicture, match=reason) as caught:
        decode(data, short_side=256)
    assert "\n" not in str(caught.value)


def test_the_limit_of_pixels_can_be_set() -> None:
    data = saved(noise(20, 10), "PNG")
    assert decode(data, max_pixels=200).image.size == (20, 10)
    with pytest.raises(UnreadablePicture, match=r"20 x 10 pixels .* limit of 199"):
        decode(data, max_pixels=199)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_compressed_chunks_cannot_fill_the_memory(kind: bytes) -> None:
    script = """
import resource, struct, sys, zlib
from heldout.data.pictures.decoding import UnreadablePicture, decode
kind = sys.argv[1].encode()
packer = zlib.compressobj(1)
body = b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()
chunk = lambda t, d: struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
rows = zlib.compress(bytes(8 * 25))
data = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
data += chunk(kind, b"c\\0\\0" + body) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(decode(data).image.size)
except UnreadablePicture as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, kind.decode()], capture_output=True, text=True, check=True
    )
    answer, megabytes = done.stdout.splitlines()
    assert "Decompressed" in answer or answer == "(8, 8)"
    assert int(megabytes) < 100


# Decodes a file's bytes with so much more memory than a fresh process has, and prints what comes of it.
WITH_ROOM = """
import resource, sys
from pathlib import Path
from heldout.data.pictures.decoding import decode, pictures_guarded
with pictures_guarded():
    data = sys.stdin.buffer.read()
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + int(sys.argv[1]),) * 2)
    try:
        print(decode(data).image.size)
    except Exception as error:
        print(type(error).__name__, error)
"""


def _with_room(n_bytes: int, data: bytes) -> str:
    command = [sys.executable, "-c", WITH_ROOM, str(n_bytes)]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode().strip()


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS holds on Linux")
@pytest.mark.parametrize("lossless", [True, False])
def test_want_of_memory_is_no_fault_of_the_file(lossless: bool) -> None:
    data = saved(Image.new("RGB", (3000, 2000), (10, 200, 90)), "WEBP", lossless=lossless, method=0)
    assert _with_room(2**30, data) == "(3000, 2000)"
    assert _with_room(18 * 2**20, data) == "MemoryError no room to decode 3000 x 2000 pixels"


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS holds on Linux")
def test_a_damaged_file_is_called_so_where_there_is_room_for_a_whole_one() -> None:
    assert _with_room(2**26, saved(noise(300, 200), "PNG")[:-500]).startswith("_Undecodable damaged: ")


def test_a_file_that_asks_for_what_no_picture_needs_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> Image.Image:
        raise MemoryError

    monkeypatch.setattr("heldout.data.pictures.decoding.to_rgb", greedy)
    with pytest.raises(UnreadablePicture, match=r"^damaged: it asks for more memory than a picture of its size needs$"):
        decode(saved(noise(30, 20), "PNG"))


@pytest.mark.parametrize("kind", ["lossy", "lossless", "extended"])
@pytest.mark.parametrize("size", [(1, 1), (300, 1), (257, 16383), (4097, 255)])
def test_the_size_that_a_webp_claims(kind: str, size: tuple[int, int]) -> None:
    image = Image.new("RGBA" if kind == "extended" else "RGB", size)
    data = saved(image, "WEBP", lossless=kind == "lossless", method=0, exif=b"Exif\0\0" if kind == "extended" else b"")
    assert data[12:16] == {"lossy": b"VP8 ", "lossless": b"VP8L", "extended": b"VP8X"}[kind]
    assert decoding._size_of_webp(data) == size
    assert decoding._size_of_webp(data[:29]) == decoding._size_of_webp(saved(image, "PNG")) == (0, 0)
