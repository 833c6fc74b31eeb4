"""Near copies: how many are found, how many pairs are false, and what looking for them costs.

    python benchmarks/duplicates.py quality PHOTOS [MORE ...]
    python benchmarks/duplicates.py speed [--pictures 100000] [--decodes 2000]

`quality` changes every picture of PHOTOS in each of several ways, puts the changed ones among all pictures that were
named, and tells in how many cases picture and changed picture come out as a pair. Then it lists the pairs among the
pictures as they are: whether those are true is for a person to see.

`speed` times decoding alone and with signatures on generated 224 x 224 JPEGs, and the search for pairs, in a process
of its own, on the signatures of as many generated pictures as asked for. Seconds are of the processor.
`search [--pictures 1000000]` does the latter alone.
"""

import argparse
import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from heldout.data.pictures.decoding import decode, pictures_guarded
from heldout.data.pictures.impressions import shrunk
from heldout.data.pictures.likeness import GREY_SIDE, SIGNATURE_BYTES, signature, signatures_of, square
from heldout.data.pictures.near_duplicates import Pairs, clusters, find_pairs

ENDINGS = {".jpg", ".jpeg", ".png"}
# More pictures than this would take minutes to draw: signatures of blends of them are computed instead.
MOST_DRAWN = 100_000
# As the look at the pictures decodes for a network of 224 pixels.
SHORT_SIDE = 224


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """What remains when these shares of the sides are cut off."""
    width, height = image.size
    return image.crop(
        (round(width * left), round(height * top), width - round(width * right), height - round(height * bottom))
    )


def brighter(image: Image.Image, factor: float) -> Image.Image:
    """Every level times `factor`, at most 255."""
    return image.point(lambda level: min(255, round(level * factor)))


def halved(image: Image.Image) -> Image.Image:
    """Half as wide and high."""
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def flipped(image: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "JPEG of quality 50": (lambda image: image, 50),
    "50 % of the size": (halved, 90),
    "2.5 % cut off every side": (lambda image: cut(image, 0.025, 0.025, 0.025, 0.025), 90),
    "5 % cut off the left": (lambda image: cut(image, 0.05, 0, 0, 0), 90),
    "5 % cut off the right": (lambda image: cut(image, 0, 0, 0.05, 0), 90),
    "5 % cut off the top": (lambda image: cut(image, 0, 0.05, 0, 0), 90),
    "5 % cut off the bottom": (lambda image: cut(image, 0, 0, 0, 0.05), 90),
    "flipped": (flipped, 90),
    "brightness x 0.8": (lambda image: brighter(image, 0.8), 90),
    "brightness x 1.25": (lambda image: brighter(image, 1.25), 90),
    "half size, flipped, cut 2.5 % all round, x 0.8, quality 50": (
        lambda image: brighter(cut(flipped(halved(image)), 0.025, 0.025, 0.025, 0.025), 0.8),
        50,
    ),
    "5 % cut off the left and the top (not promised)": (lambda image: cut(image, 0.05, 0.05, 0, 0), 90),
    "5 % cut off every side (not promised)": (lambda image: cut(image, 0.05, 0.05, 0.05, 0.05), 90),
}


def encoded(image: Image.Image, quality: int) -> bytes:
    """A JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def signed(image: Image.Image) -> bytes:
    """The signature of a decoded picture, by way of its small copy."""
    return signature(shrunk(image))


def stacked(signatures: list[bytes]) -> np.ndarray:
    """One row a signature."""
    return np.frombuffer(b"".join(signatures), np.uint8).reshape(-1, SIGNATURE_BYTES)


def quality(photos: Path, more: list[Path]) -> None:
    """Print the share that is found of each change, and the pairs among the pictures as they are."""
    files = [sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS) for folder in (photos, *more)]
    everything = [path for paths in files for path in paths]
    with pictures_guarded():
        plain = stacked([signed(decode(path.read_bytes(), short_side=SHORT_SIDE).image) for path in everything])
        changed: dict[str, list[bytes]] = {name: [] for name in CHANGES}
        for path in files[0]:
            image = decode(path.read_bytes()).image
            for name, (change, jpeg_quality) in CHANGES.items():
                data = encoded(change(image), jpeg_quality)
                changed[name].append(signed(decode(data, short_side=SHORT_SIDE).image))
    n_photos, n_all = len(files[0]), len(everything)
    for name, rows in changed.items():
        pairs = find_pairs(np.concatenate([plain, stacked(rows)]))
        n_found = np.count_nonzero((pairs.second - n_all == pairs.first) & (pairs.first < n_photos))
        print(json.dumps({"change": name, "found": int(n_found), "of": n_photos}), flush=True)
    ends = np.cumsum([0, *map(len, files)])
    for folder, (start, end) in zip((photos, *more), pairwise(ends), strict=True):
        tell_pairs(folder, everything[start:end], find_pairs(plain[start:end]))
    print(json.dumps({"pictures": n_all, "pairs_among_all": len(find_pairs(plain))}))


def tell_pairs(folder: Path, paths: list[Path], pairs: Pairs) -> None:
    """Print every pair among the pictures of a folder, and in how many clusters of which sizes they are."""
    for one, other, likeness in zip(pairs.first, pairs.second, pairs.likeness, strict=True):
        names = [str(paths[i].relative_to(folder)) for i in (one, other)]
        print(json.dumps({"likeness": float(likeness), "pair": names}))
    sizes = Counter(np.bincount(clusters(len(paths), pairs)).tolist())
    tally = {str(size): n for size, n in sorted(sizes.items()) if size > 1}
    print(json.dumps({"folder": folder.name, "pictures": len(paths), "pairs": len(pairs), "clusters_by_size": tally}))


def generated(generator: np.random.Generator, textures: list[Image.Image], side: int = 224) -> Image.Image:
    """A picture like no other: two pieces of textures, laid over each other."""
    pieces = []
    for texture in generator.choice(len(textures), 2, replace=False):
        x, y = generator.integers(0, textures[texture].width - side, 2).tolist()
        pieces.append(textures[texture].crop((x, y, x + side, y + side)))
    return Image.blend(pieces[0], pieces[1], float(generator.uniform(0.3, 0.7)))


def make_textures(generator: np.random.Generator, n: int = 64) -> list[Image.Image]:
    """Noise of all scales, each octave half as strong as the one before: about as detailed as photos."""
    textures = []
    for _ in range(n):
        levels = np.zeros((512, 512, 3), np.float32)
        for octave in range(1, 9):
            side = 2**octave
            coarse = Image.fromarray(generator.integers(0, 256, (side, side, 3), dtype=np.uint8))
            levels += (np.asarray(coarse.resize((512, 512), Image.Resampling.BICUBIC), np.float32) - 128) / 2**octave
        textures.append(Image.fromarray(np.clip(levels + 128, 0, 255).astype(np.uint8)))
    return textures


def speed(n_pictures: int, n_decodes: int) -> None:
    """Print milliseconds a picture for each step, and time and memory of the search."""
    generator = np.random.default_rng(0)
    textures = make_textures(generator)
    files = [encoded(generated(generator, textures), 85) for _ in range(n_decodes)]
    rounds = []
    for _ in range(3):
        seconds = np.zeros(4)
        squares = []
        for data in files:
            moments = [time.process_time()]
            image = decode(data, short_side=SHORT_SIDE).image
            moments.append(time.process_time())
            small = shrunk(image)
            moments.append(time.process_time())
            squares.append(square(small))
            moments.append(time.process_time())
            seconds[:3] += np.diff(moments)
        start = time.process_time()
        signatures_of(squares)
        seconds[3] = time.process_time() - start
        rounds.append(1000 * seconds / n_decodes)
    decoding, shrinking, squaring, signing = np.median(rounds, axis=0).tolist()
    done = subprocess.run(
        [sys.executable, __file__, "search", "--pictures", str(n_pictures)], capture_output=True, text=True, check=True
    )
    search = json.loads(done.stdout)
    searching = 1000 * search["search_cpu_seconds"] / n_pictures
    each = {
        "decode_ms": decoding,
        "small_copy_ms": shrinking,
        "square_ms": squaring,
        "signature_ms": signing,
        "search_ms": searching,
    }
    print(json.dumps({name: round(value, 3) for name, value in each.items()}))
    # The small copy is made for the thumbnail, whether near copies are looked for or not.
    more = squaring + signing + searching
    ratios = {
        "times_decoding": 1 + more / decoding,
        "times_decoding_and_small_copy": 1 + more / (decoding + shrinking),
    }
    print(json.dumps({name: round(value, 2) for name, value in ratios.items()} | search))


def peak_mebibytes() -> int:
    """The highest resident memory of this program so far; `ru_maxrss` would count that of its parent too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def generated_signatures(n_pictures: int) -> np.ndarray:
    """Signatures of generated pictures; the last hundredth are mirrored copies of the first, in reverse order."""
    generator = np.random.default_rng(1)
    # Small copies to begin with, which take a tenth of the time.
    textures = [texture.reduce(2) for texture in make_textures(generator)]
    rows = np.empty((n_pictures, SIGNATURE_BYTES), np.uint8)
    n_copies = n_pictures // 100
    for start in range(0, n_pictures - n_copies, 1000):
        block = [generated(generator, textures, 112) for _ in range(min(1000, n_pictures - n_copies - start))]
        rows[start : start + len(block)] = signatures_of([square(small) for small in block])
        mirrored = [square(flipped(small)) for small in block[: max(0, n_copies - start)]]
        rows[n_pictures - start - len(mirrored) : n_pictures - start] = signatures_of(mirrored)[::-1]
    return rows


def blended_signatures(n_pictures: int) -> np.ndarray:
    """As `generated_signatures`, of blends of two of 99,000 generated pictures each, computed from their signatures."""
    generator = np.random.default_rng(3)
    drawn = generated_signatures(MOST_DRAWN)[: -MOST_DRAWN // 100]
    n_levels, n_copies = GREY_SIDE**2, n_pictures // 100
    rows = np.empty((n_pictures, SIGNATURE_BYTES), np.uint8)
    for start in range(0, n_pictures - n_copies, 2000):
        n = min(2000, n_pictures - n_copies - start)
        one, other = generator.integers(0, len(drawn), (2, n))
        share = generator.uniform(0.3, 0.7, (n, 1)).astype(np.float32)
        levels = share * drawn[one, :n_levels] + (1 - share) * drawn[other, :n_levels] - np.float32(128)
        levels *= 40 / np.sqrt(np.mean(np.square(levels), axis=1, keepdims=True))
        rows[start : start + n] = drawn[one]
        rows[start : start + n, :n_levels] = np.clip(levels + 128.5, 0, 255)
        mirrored = rows[start : start + min(n, max(0, n_copies - start))].copy()
        squares = mirrored[:, :n_levels].reshape(-1, GREY_SIDE, GREY_SIDE)
        mirrored[:, :n_levels] = squares[:, :, ::-1].reshape(-1, n_levels)
        rows[n_pictures - start - len(mirrored) : n_pictures - start] = mirrored[::-1]
    return rows


def search(n_pictures: int) -> None:
    """Print time and memory of `find_pairs` on so many generated pictures and 1 % flipped copies, in this process."""
    rows = (generated_signatures if n_pictures <= MOST_DRAWN else blended_signatures)(n_pictures)
    n_copies = n_pictures // 100
    before = peak_mebibytes()
    start, clock = time.process_time(), time.perf_counter()
    pairs = find_pairs(rows)
    told = {
        "pictures": n_pictures,
        "pairs": len(pairs),
        "copies_found": int(np.count_nonzero(pairs.first + pairs.second == n_pictures - 1)),
        "copies": n_copies,
        "search_cpu_seconds": round(time.process_time() - start, 1),
        "search_seconds": round(time.perf_counter() - clock, 1),
        "MiB_before": before,
        "MiB_at_most": peak_mebibytes(),
    }
    print(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    of_quality = steps.add_parser("quality")
    of_quality.add_argument("photos", type=Path)
    of_quality.add_argument("more", type=Path, nargs="*")
    of_speed, of_search = steps.add_parser("speed"), steps.add_parser("search")
    of_speed.add_argument("--decodes", type=int, default=2000)
    for step in (of_speed, of_search):
        step.add_argument("--pictures", type=int, default=100_000)
    arguments = parser.parse_args()
    if arguments.step == "quality":
        quality(arguments.photos, arguments.more)
    elif arguments.step == "speed":
        speed(arguments.pictures, arguments.decodes)
    else:
        search(arguments.pictures)


if __name__ == "__main__":
    main()
