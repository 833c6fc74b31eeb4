"""Where a run's numbers come from: versions, hardware, the command, and where the time went. Imports nothing large."""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

PACKAGES = (
    "numpy",
    "scipy",
    "pillow",
    "pyarrow",
    "openvino",
    "torch",
    "timm",
    "safetensors",
    "matplotlib",
    "jinja2",
)


class Watcher(Protocol):
    """Whoever wants to know how a run goes on. Every call is quick and changes nothing in the run."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def progress(self, done: int, total: int, per_second: float) -> None:
        """So many pictures of the stage are done."""

    def epoch(self, record: Any) -> None:
        """An epoch has ended (`training.history.EpochRecord`)."""


class Silent:
    """A watcher that does nothing."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def progress(self, done: int, total: int, per_second: float) -> None:
        """Nothing."""

    def epoch(self, record: Any) -> None:
        """Nothing."""


class Clock:
    """How long each stage of a run took, by a clock that never jumps.

    Args:
        watcher: Is told when a stage begins.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a stage; the same name twice adds up."""
        self._watcher.stage(name)
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - start, 4)


def version() -> str:
    """Heldout's own version."""
    return metadata.version("heldout")


def n_cores() -> int:
    """The processors that this process may use, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def n_threads() -> int:
    """How many threads a computation uses, on which the last bits of its results depend."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else n_cores()


def thread_variables(n_threads: int) -> dict[str, str]:
    """What libraries for linear algebra must find in the environment, when they are loaded, to use so many threads.

    Example:
        >>> thread_variables(2)["OMP_NUM_THREADS"]
        '2'
    """
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(n_threads))


def processor() -> str:
    """The processor's name as its maker gives it, or the machine's kind."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def installed() -> dict[str, str]:
    """The versions of the packages that can move a number; absent ones are left out."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def environment(command: str) -> dict[str, Any]:
    """What to write down about where a run takes place.

    Args:
        command: The command that makes the run again.
    """
    return {
        "heldout": version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": processor(),
        "n_cores": n_cores(),
        "n_threads": n_threads(),
        "packages": installed(),
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
