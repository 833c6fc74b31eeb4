"""Small builders of data for tests: pictures that a frozen backbone can tell apart at once."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

WIDTH, HEIGHT = 96, 80  # small, and not square, so that a crop that goes wrong shows


def _stripes(generator: np.random.Generator) -> np.ndarray:
    """Upright red and white stripes."""
    columns = np.arange(WIDTH) + generator.integers(0, 24)
    bright = (columns // generator.integers(6, 11)) % 2 * 1.0
    return np.stack([np.ones((HEIGHT, WIDTH)) * 0.9, *(np.tile(bright, (HEIGHT, 1)) * 0.9,) * 2], axis=-1)


def _blobs(generator: np.random.Generator) -> np.ndarray:
    """Yellow discs on blue."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = np.zeros((HEIGHT, WIDTH), bool)
    for _ in range(6):
        centre_y, centre_x = generator.uniform(0, HEIGHT), generator.uniform(0, WIDTH)
        inside |= (y - centre_y) ** 2 + (x - centre_x) ** 2 < generator.uniform(8, 14) ** 2
    return np.where(inside[..., None], (0.95, 0.85, 0.1), (0.1, 0.15, 0.6))


def _meadow(generator: np.random.Generator) -> np.ndarray:
    """A green gradient from the top to the bottom."""
    height = np.linspace(generator.uniform(0.1, 0.3), generator.uniform(0.7, 0.95), HEIGHT)[:, None]
    flat = np.ones((HEIGHT, WIDTH)) * height
    return np.stack([flat * 0.3, flat, flat * 0.2], axis=-1)


DRAWINGS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "blobs": _blobs,
    "meadow": _meadow,
    "stripes": _stripes,
}


def pixels(kind: str, number: int) -> UInt8[np.ndarray, "80 96 3"]:
    """One picture of a kind with noise of its own; the same kind and number give the same pixels."""
    generator = np.random.default_rng([zlib.crc32(kind.encode()), number])
    clean = DRAWINGS[kind](generator)
    noisy = clean + generator.normal(0, 0.06, clean.shape)
    return np.round(np.clip(noisy, 0, 1) * 255).astype(np.uint8)


def picture(path: Path, kind: str, number: int) -> Path:
    """Write one picture; the suffix of the path says how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(kind, number)).save(path)
    return path


def class_folders(
    root: Path, n_a_class: int | Mapping[str, int], *, kinds: Iterable[str] = tuple(DRAWINGS), start: int = 0
) -> Path:
    """`root/KIND/NUMBER.jpg` (every fifth a PNG), so many a class, numbered from `start`."""
    for kind in kinds:
        n = n_a_class if isinstance(n_a_class, int) else n_a_class[kind]
        for number in range(start, start + n):
            picture(root / kind / f"{number:03d}.{'png' if number % 5 == 4 else 'jpg'}", kind, number)
    return root


def split_folders(root: Path, n_a_class: Mapping[str, int], *, kinds: Iterable[str] = tuple(DRAWINGS)) -> Path:
    """`root/PART/KIND/NUMBER.jpg`, so many a class in each part, no picture twice."""
    start = 0
    for part, n in n_a_class.items():
        class_folders(root / part, n, kinds=kinds, start=start)
        start += n
    return root


def broken(path: Path) -> Path:
    """A file whose name says JPEG and whose content does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"this is no picture")
    return path
