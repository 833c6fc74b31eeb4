"""The real command line, killed at a chosen moment, and what its run says."""

import csv
import hashlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from journeys import forked

# The command line, with a checkpoint after every step: its training is over sooner than the first one is due.
OFTEN = """
from heldout.training import checkpoints
checkpoints.EVERY_SECONDS, checkpoints.SHARE = 0.0, 1e9
"""
MEASURED = ("pictures_per_second", "seconds")


def start(*arguments: str | Path, cwd: Path) -> forked.Process:
    """A command that is under way."""
    return forked.start([*map(str, arguments)], cwd=cwd, environment=os.environ, setting=OFTEN)


def signalled_at(
    pattern: str, *arguments: str | Path, cwd: Path, number: int = signal.SIGKILL, at_least: int = 1
) -> tuple[int, str]:
    """Run a command, send a signal as soon as `at_least` files are there, and give its code and standard error.

    Args:
        pattern: Of the files, below `cwd`.
        arguments: Of the command.
        cwd: Where it is run.
        number: Of the signal.
        at_least: How many new files.
    """
    before = set(cwd.glob(pattern))
    with start(*arguments, cwd=cwd) as process:
        while process.poll() is None and len(set(cwd.glob(pattern)) - before) < at_least:
            time.sleep(0.002)
        assert process.poll() is None, f"ended before {pattern} was there: {process.communicate()[1]}"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    return process.wait(0), err


def numbers_of(run: Path) -> dict[str, Any]:
    """Everything of a run that must be the same bit by bit, by file."""
    with (run / "history.csv").open(newline="") as file:
        history = [{name: cell for name, cell in row.items() if name not in MEASURED} for row in csv.DictReader(file)]
    scores = json.loads((run / "scores.json").read_bytes())
    del scores["data"]["test_openings"]
    same = ["model/weights.safetensors", "model/preprocess.json"]
    same += ["head_path.csv", "norms.csv", "plan.toml", "findings.json"]
    hashes = {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in same if (run / name).exists()}
    tables = {name: pq.read_table(run / name).to_pydict() for name in ("split.parquet", "predictions.parquet")}
    return {"history": history, "scores": scores, **hashes, **tables}
