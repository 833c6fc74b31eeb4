"""What every contestant shares: its arguments, its clock and the JSON line that it prints. Standard library only.

The clock starts when the operating system started the process, so interpreter start-up and imports count, and
stops when the test folder has been scored. `run_all.py` times the same process from outside as well; the two
differ by the interpreter's shutdown.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path


def seconds_since_process_start() -> float:
    """Seconds since the operating system started this process (to 0.01 s, Linux; imports included)."""
    after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    # Field 22 of stat(5) is the start time in clock ticks since boot; 19 fields after state, which is field 3.
    started = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def parser(description: str, *, epochs: int, batch_size: int) -> argparse.ArgumentParser:
    """An argument parser with the arguments that all contestants have."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("data", type=Path, help="a folder with train/ and test/, each of class folders")
    made.add_argument("--epochs", type=int, default=epochs)
    made.add_argument("--batch-size", type=int, default=batch_size)
    made.add_argument("--workers", type=int, default=2, help="processes that load pictures")
    made.add_argument("--seed", type=int, default=0)
    return made


@dataclass(kw_only=True)
class Result:
    """One contestant's result; `finish` stops the clock, `show` prints the line."""

    name: str
    epochs: int
    packages: Sequence[str]
    notes: str
    seconds_imports: float
    n_trained: int = 0
    n_test: int = 0
    n_correct: int = 0
    seconds_total: float = 0.0
    trunk_changed: str = ""
    extra: dict[str, object] = field(default_factory=dict)

    def finish(self, *, n_correct: int, n_test: int) -> None:
        """Stops the clock and takes the score."""
        self.seconds_total = seconds_since_process_start()
        self.n_correct, self.n_test = n_correct, n_test

    def show(self) -> None:
        """Prints the result as one JSON line, the last line of standard output."""
        line = {
            "name": self.name,
            "seconds_total": round(self.seconds_total, 2),
            "seconds_after_imports": round(self.seconds_total - self.seconds_imports, 2),
            "test_accuracy": self.n_correct / self.n_test,
            "n_test": self.n_test,
            "n_correct": self.n_correct,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in self.packages},
            "epochs": self.epochs,
            "notes": self.notes,
            "n_trained_parameters": self.n_trained,
            "trunk_changed": self.trunk_changed,
        }
        print(json.dumps(line | self.extra), flush=True)
