"""Held-out accuracy, seconds and memory of `heldout train`, whole processes, on folders of photos.

    python benchmarks/accuracy.py PHOTOS [PHOTOS ...] [--regimes frozen,partial] [--repeats 3]

The first run of each data set meets an empty cache except for the converted backbone; the others find its features.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from heldout.provenance import environment
from heldout.verbs.digits import write_digits


def train(photos: Path, regime: str, out: Path, cache: Path) -> dict:
    """One whole process: what it scored, and what it took."""
    command = [sys.executable, "-m", "heldout.cli.main", "train", str(photos)]
    command += ["--regime", regime, "--out", str(out), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {"HELDOUT_CACHE": str(cache)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    stdout = process.communicate()[0]
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    scores = json.loads(stdout)["scores"]
    accuracy = next(score for score in scores["test"]["scores"] if score["name"] == "accuracy")
    return {
        "photos": photos.name,
        "regime": regime,
        "accuracy": accuracy["value"],
        "interval": [accuracy["low"], accuracy["high"]],
        "n": accuracy["n"],
        "seconds": round(seconds, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_MiB": after.ru_maxrss // 1024,  # of the largest child so far
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--regimes", default="frozen")
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    print(json.dumps(environment("python benchmarks/accuracy.py")))
    with tempfile.TemporaryDirectory() as temporary:
        cache, out = Path(temporary) / "cache", Path(temporary) / "runs"
        train(write_digits(Path(temporary) / "digits"), "frozen", out, cache)  # converts the backbone
        for photos in arguments.photos:
            for regime in arguments.regimes.split(","):
                for _ in range(arguments.repeats):
                    print(json.dumps(train(photos, regime, out, cache)), flush=True)


if __name__ == "__main__":
    main()
