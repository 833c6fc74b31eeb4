"""What the same design would take at a million, a hundred million and a thousand million pictures.

    python benchmarks/scale_simulation.py [--sample 20000] [--picture-bytes 1e5] [--storage 5e9] [--hours-to-loss 500]

What one picture takes in the memory of the process that directs, on the disk and of a processor is measured here, on a
sample of made-up ones. How shards go through workers, which share the storage's bandwidth and are lost now and then, is
simulated shard by shard. The rest is multiplication.
"""

import argparse
import heapq
import io
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from heldout.data.batches import Batches, epoch_order
from heldout.data.examples import gather
from heldout.data.pictures.decoding import PictureFacts, decode
from heldout.data.pictures.impressions import glimpse
from heldout.data.pictures.likeness import SIGNATURE_BYTES
from heldout.data.pictures.near_duplicates import find_pairs
from heldout.data.storage.sources import FolderSource
from heldout.models.backbones import find_backbone
from heldout.models.heads import fit_heads
from heldout.training.classifier import pixel_path
from heldout.training.on_ray import SHARD
from heldout.training.stores import ArrayStore, FactStore

NUMBERS = (10**6, 10**8, 10**9)
WORKERS = (1, 64, 1024)
N_PARAMETERS = 11_700_000  # of a ResNet-18, whose gradients go round once a step
# A pass of EfficientNet-Lite0 for the features, seconds of one core (benchmarks/features.py; assumed the same here).
FEATURE_SECONDS = 0.012


def measured(make: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it makes, the bytes that it leaves behind in memory, and its seconds of the processor."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = make()
    n_bytes = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()  # tracing makes everything slower: the time is that of a second call
    began = time.process_time()
    make()
    return made, n_bytes, time.process_time() - began


@dataclass(frozen=True)
class Cost:
    """What one picture takes of the process that directs a run.

    Attributes:
        memory: Bytes that stay.
        seconds: Of the processor.
        disk: Bytes.
    """

    memory: float = 0.0
    seconds: float = 0.0
    disk: float = 0.0


def costs(n: int, folder: Path) -> dict[str, Cost]:
    """By what it is for."""
    keys = [f"{number:064x}" for number in range(n)]
    rows = [
        (f"photos/class{number % 1000:03d}/picture-{number:010d}.jpg", f"c{number % 1000}", -1) for number in range(n)
    ]
    found: dict[str, Cost] = {}

    def note(name: str, make: Callable[[], Any], n_pictures: int = n, disk: float = 0.0) -> Any:
        made, n_bytes, seconds = measured(make)
        found[name] = Cost(n_bytes / n_pictures, seconds / n_pictures, disk)
        return made

    here = FolderSource(Path())
    note("listing", lambda: gather(here, [(str(a[0] + " ").strip(), a[1], a[2]) for a in rows], layout="listing"))
    facts = PictureFacts(500, 375, "RGB", "JPEG", 100_000, keys[0], keys[0][:32])
    note("what is known of each", lambda: tuple(replace(facts, sha256="0" + key[1:], pixels=key[32:]) for key in keys))
    note(
        "names to contents and clusters",
        lambda: ({one[0]: key for one, key in zip(rows, keys, strict=True)}, {one[0]: i for i, one in enumerate(rows)}),
    )

    store = ArrayStore(folder / "rows", (1,), "float32")
    for key in keys:
        store.add(key, np.zeros(1, np.float32))
    store.flush()
    path = pixel_path(find_backbone("efficientnet-lite0"))
    kept = 4 * 1280 + 36
    opened = note("index of the features", lambda: ArrayStore(folder / "rows", (1,), "float32"), disk=kept)
    found["index of the canvases"] = replace(found["index of the features"], disk=3 * path.canvas.crop**2 + 36)
    note("places of the rows of a part", lambda: opened.rows(keys))

    n_facts = min(n, 4000)
    glimpsed = glimpse(decode(jpeg(), sha256="0" * 64, short_side=224))
    fact_store = FactStore(folder / "facts", 224)
    for key in keys[:n_facts]:
        fact_store.add(replace(facts, sha256=key), glimpsed)
    fact_store.flush()
    disk = sum(file.stat().st_size for file in (folder / "facts").iterdir()) / n_facts
    note("index of what is known", lambda: FactStore(folder / "facts", 224), n_facts, disk)

    signatures = np.random.default_rng(0).integers(0, 256, (n, SIGNATURE_BYTES), dtype=np.uint8)
    _, _, seconds = measured(lambda: find_pairs(signatures))
    found["search for near copies"] = Cost(SIGNATURE_BYTES + 200, seconds / n)  # as near_duplicates.py says
    batches = Batches(signatures, np.zeros(n, np.int64), np.arange(n), 32)
    note("order of an epoch", lambda: epoch_order(batches, seed=0, epoch=1))
    found["fit of the head"] = Cost(2 * 4 * 1280, fit_seconds())  # the features, and their turned copy
    return found


def jpeg() -> bytes:
    """A picture of a usual size."""
    coarse = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((500, 400)).save(out, "JPEG", quality=90)
    return out.getvalue()


def fit_seconds(n: int = 4000) -> float:
    """Of the processor, a picture: one head on 1280 features and 10 classes, for each of the penalties."""
    generator = np.random.default_rng(0)
    labels = np.arange(n) % 10
    features = generator.normal(size=(n, 1280)).astype(np.float32)
    features[:, :10] += 2 * np.eye(10, dtype=np.float32)[labels]
    began = time.process_time()
    list(fit_heads(features, labels, 10))
    return (time.process_time() - began) / n


def decode_seconds() -> float:
    """Of the processor, for one picture."""
    content = jpeg()
    began = time.process_time()
    for _ in range(50):
        decode(content, sha256="0" * 64, short_side=224)
    return (time.process_time() - began) / 50


def simulated(
    n: int, workers: int, *, seconds: float, n_bytes: float, storage: float, hours_to_loss: float
) -> tuple[float, int]:
    """Seconds until every shard is done, and how many were done again because their worker was lost.

    Args:
        n: Pictures.
        workers: Processes, each on a core of its own.
        seconds: Of one picture, on one core.
        n_bytes: That are read for one picture.
        storage: Bytes a second, of all workers together.
        hours_to_loss: Of one worker, on average.
    """
    generator = np.random.default_rng(0)
    n_shards = -(-n // SHARD)
    a_shard = SHARD * max(seconds, n_bytes * min(workers, n_shards) / storage)
    free = [0.0] * min(workers, n_shards)
    n_again, waiting = 0, n_shards
    while waiting:
        start = heapq.heappop(free)
        waiting -= 1
        lives = generator.exponential(hours_to_loss * 3600)
        if lives < a_shard:
            n_again, waiting = n_again + 1, waiting + 1
            heapq.heappush(free, start + lives + 30)  # another process takes so long to begin (docs/scale.md)
        else:
            heapq.heappush(free, start + a_shard)
    return max(free), n_again


def told(value: float) -> str:
    """A number of bytes or seconds for a person."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=20_000)
    parser.add_argument("--picture-bytes", type=float, default=100_000)
    parser.add_argument("--storage", type=float, default=5e9, help="bytes a second, of all workers together")
    parser.add_argument("--hours-to-loss", type=float, default=500.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = costs(arguments.sample, Path(temporary))
    print("| in the process that directs | bytes a picture | at 10^6 | at 10^8 | at 10^9 | processor, 10^6 |")
    print("|---|---|---|---|---|---|")
    for name, cost in found.items():
        memory = " | ".join(f"{told(cost.memory * n)}B" for n in NUMBERS)
        print(f"| {name} | {cost.memory:,.0f} | {memory} | {told(cost.seconds * 1e6)}s |")
    total = sum(cost.memory for cost in found.values())
    print(f"| together | {total:,.0f} | " + " | ".join(f"{told(total * n)}B" for n in NUMBERS) + " | |")
    print("\n| on the disk | bytes a picture | at 10^6 | at 10^8 | at 10^9 |\n|---|---|---|---|---|")
    for name, cost in found.items():
        if cost.disk:
            print(f"| {name} | {cost.disk:,.0f} | " + " | ".join(f"{told(cost.disk * n)}B" for n in NUMBERS) + " |")
    seconds = decode_seconds() + FEATURE_SECONDS
    print(f"\none look: {1000 * seconds:.1f} ms of a core and {arguments.picture_bytes:,.0f} bytes a picture")
    print("\n| pictures | workers | bytes read | looking at all | shards | done again |\n|---|---|---|---|---|---|")
    for n in NUMBERS:
        for workers in WORKERS:
            took, n_again = simulated(
                n,
                workers,
                seconds=seconds,
                n_bytes=arguments.picture_bytes,
                storage=arguments.storage,
                hours_to_loss=arguments.hours_to_loss,
            )
            read = told(n * arguments.picture_bytes)
            print(f"| {n:,} | {workers:,} | {read}B | {told(took)}s | {-(-n // SHARD):,} | {n_again:,} |")
    print("\n| workers | bytes a step, each way | at 10 Gbit/s |\n|---|---|---|")
    for workers in (2, 8, 64):
        moved = 2 * 4 * N_PARAMETERS * (workers - 1) / workers  # a ring: each sends nearly everything twice
        print(f"| {workers} | {told(moved)}B | {1000 * moved / 1.25e9:.0f} ms |")


if __name__ == "__main__":
    main()
