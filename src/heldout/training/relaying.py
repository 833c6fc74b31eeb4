"""How a training goes, from the worker that knows to the process that shows it: lines in a file that grows."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from heldout.provenance import Watcher
from heldout.training.history import EpochRecord

# How often it is looked for news, and how often there is some about the steps at most, seconds.
EVERY = 0.25


class Relay:
    """A watcher that writes down what it is told.

    Args:
        file: Is appended to; its folder exists.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last = 0.0

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._tell("stage", name)

    def progress(self, done: int, total: int, per_second: float) -> None:
        """So many pictures of the stage are done; told now and then."""
        if done >= total or time.monotonic() - self._last >= EVERY:
            self._tell("progress", [done, total, per_second])
            self._last = time.monotonic()

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""
        self._tell("epoch", asdict(record))

    def _tell(self, kind: str, values: Any) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps([kind, values]) + "\n")


def follow(file: Path, watcher: Watcher, wait: Callable[[float], bool]) -> None:
    """Tell a watcher what a `Relay` wrote and writes, until it is over.

    Args:
        file: As of the relay; it need not be there yet.
        watcher: Is told.
        wait: Sleeps for so many seconds at most, and says whether it is over.
    """
    done, is_over = 0, False
    while not is_over:
        is_over = wait(EVERY)  # and once more after the end
        content = b""
        if file.exists():
            with file.open("rb") as opened:
                opened.seek(done)
                content = opened.read()
        lines = content[: content.rfind(b"\n") + 1]
        done += len(lines)
        for line in lines.splitlines():
            kind, values = json.loads(line)
            if kind == "stage":
                watcher.stage(values)
            elif kind == "progress":
                watcher.progress(*values)
            else:
                watcher.epoch(EpochRecord(**values))
