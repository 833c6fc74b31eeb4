"""Frozen features from photos on disk, against decoding alone and the network alone, on the same cores.

    python benchmarks/features.py PHOTOS [--rounds 5]

The look at the pictures does both at once; it can be no faster than the slower of the two alone. The three are timed in
turn, round by round, and medians of the pictures a second are printed, with their ratio.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from heldout.data.layouts.photos import find_photos
from heldout.data.pictures.decoding import decode, pictures_guarded, to_pixels
from heldout.data.pictures.survey import in_order, n_decoding_threads, read_file
from heldout.provenance import environment
from heldout.records import cache_folder
from heldout.training.looking import Product, look_at
from heldout.training.materials import gather_materials
from heldout.training.stores import ArrayStore, FactStore


def decode_alone(examples, path) -> float:
    """Read, decode, resize and cut every picture, in as many threads as there are cores; nothing else."""

    def job(number: int) -> None:
        data, sha256 = read_file(examples.source, examples.ids[number])
        with_image = decode(data, sha256=sha256, short_side=path.resize)
        to_pixels(with_image.image, path)

    start = time.perf_counter()
    with pictures_guarded():
        for _ in in_order(job, len(examples), n_threads=n_decoding_threads()):
            pass
    return len(examples) / (time.perf_counter() - start)


def network_alone(engine, pixels, n_pictures: int) -> float:
    """Run the engine on pixels that lie ready, called from as many threads as there are cores."""
    n_calls = n_pictures // engine.batch_size

    start = time.perf_counter()
    for _ in in_order(lambda _: engine(pixels), n_calls, n_threads=n_decoding_threads()):
        pass
    return n_calls * engine.batch_size / (time.perf_counter() - start)


def both(examples, product, folder: Path) -> float:
    """A look at all pictures into empty stores: decoding, facts, thumbnails and features."""
    store = ArrayStore(folder / "features", product.store.row_shape, "float32")
    facts = FactStore(folder / "facts", product.path.resize)
    start = time.perf_counter()
    look = look_at(examples.source, examples.ids, [Product(store, product.path, product.engine)], facts)
    assert look.n_decoded > 0.9 * len(examples)  # exact copies are decoded once
    return len(examples) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    cache = cache_folder()
    materials = gather_materials(
        arguments.backbone, weights="imagenet", regime="frozen", download=False, cache=cache, device="cpu"
    )
    product = materials.products["features"]
    examples = find_photos(arguments.photos)
    shape = (product.engine.batch_size, product.path.crop, product.path.crop, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape)
    rounds = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(
                {
                    "decode": decode_alone(examples, product.path),
                    "network": network_alone(product.engine, pixels.astype(np.uint8), len(examples)),
                    "both": both(examples, product, Path(folder)),
                }
            )
    medians = {name: round(statistics.median(each[name] for each in rounds), 1) for name in rounds[0]}
    ratio = statistics.median(min(each["decode"], each["network"]) / each["both"] for each in rounds)
    record = {
        "pictures": len(examples),
        "engine": product.engine.key,
        "pictures_a_second": medians,
        "time_over_the_slower_alone": round(ratio, 3),
        "rounds": len(rounds),
        "environment": environment("python benchmarks/features.py"),
    }
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
