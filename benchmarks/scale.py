"""Time and memory of the scan and of the look at many pictures: memory must not grow with their number.

    python benchmarks/scale.py [--numbers 2000,20000,100000] [--scan-only]

Makes folders of small generated JPEGs (64 x 64, all different), and runs each step in a process of its own. What is
told of each is the highest resident memory of that process.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

STEP = """
import resource, sys, time
start = time.perf_counter()
from pathlib import Path
from heldout.data.layouts.photos import find_photos
examples = find_photos(Path(sys.argv[1]))
if sys.argv[2] == "look":
    from heldout.records import cache_folder
    from heldout.training.looking import look_at
    from heldout.training.materials import gather_materials
    cache = cache_folder()
    materials = gather_materials("efficientnet-lite0", weights="imagenet", regime="frozen", download=False,
                                 cache=cache, device="cpu")
    look = look_at(examples.source, examples.ids, list(materials.products.values()), materials.facts)
    assert not look.survey.unreadable
seconds = time.perf_counter() - start
print(len(examples), round(seconds, 2), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def make_pictures(folder: Path, n_pictures: int) -> None:
    """`n_pictures` different JPEGs in ten classes."""
    generator = np.random.default_rng(0)
    for number in range(n_pictures):
        path = folder / f"class{number % 10}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(coarse).resize((64, 64)).save(out, "JPEG", quality=80)
        path.write_bytes(out.getvalue())


def run_step(folder: Path, step: str, cache: Path) -> dict:
    """One step in a fresh process: pictures, seconds, highest resident memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", STEP, str(folder), step],
        env=os.environ | {"HELDOUT_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    n_pictures, seconds, memory = done.stdout.split()
    return {"step": step, "pictures": int(n_pictures), "seconds": float(seconds), "peak_MiB": int(memory)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--numbers", default="2000,20000,100000")
    parser.add_argument("--scan-only", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cache = Path(temporary) / "cache"
        small = Path(temporary) / "small"
        make_pictures(small, 20)
        run_step(small, "look", cache)  # converts the backbone, so that what is measured does not
        for number in map(int, arguments.numbers.split(",")):
            folder = Path(temporary) / str(number)
            make_pictures(folder, number)
            for step in ["scan"] if arguments.scan_only else ["scan", "look"]:
                print(json.dumps(run_step(folder, step, cache)), flush=True)


if __name__ == "__main__":
    main()
