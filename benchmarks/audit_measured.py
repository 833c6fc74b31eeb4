"""What the benchmarks of the audit share: child processes with their processor time, and sections of `audit.md`."""

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("audit.md")
CHILD = REPOSITORY / "src" / "heldout" / "auditing" / "process" / "child.py"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended: what it wrote, its exit code, and its time by the clock and of the processor."""

    code: int
    out: str
    err: str
    seconds: float
    processor_seconds: float


def run(command: Sequence[str | Path], *, timeout: float = 600.0, cwd: Path | None = None) -> Ended:
    """Run a command to its end; one that does not end has code 124."""
    before, begun = os.times(), time.monotonic()
    try:
        done = subprocess.run(
            [str(each) for each in command],
            capture_output=True,
            env=ENVIRONMENT,
            timeout=timeout,
            cwd=cwd,
            check=False,
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        code, out, err = 124, late.stdout or b"", late.stderr or b""
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return Ended(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), time.monotonic() - begun, spent)


def circumstances(packages: Sequence[str] = ("torch", "numpy")) -> str:
    """The machine, the versions and how busy the machine is, in one paragraph."""
    from importlib.metadata import version

    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{date.today().isoformat()}, {os.cpu_count()} cores of {cpu[1] if cpu else platform.processor()}, Linux, "
        f"Python {platform.python_version()}, {versions}; one thread (`OMP_NUM_THREADS=1`); "
        f"load average at the end {load}."
    )


def rewrite_section(title: str, lines: Sequence[str]) -> None:
    """Put a section into `audit.md`, in place of the one of that title."""
    text = PAGE.read_text() if PAGE.exists() else "# The audit, measured\n"
    fresh = "\n".join([f"## {title}", "", *lines]).strip() + "\n"
    parts = re.split(r"(?m)^(?=## )", text)
    titles = [part.split("\n", 1)[0] for part in parts]
    if f"## {title}" in titles:
        at = titles.index(f"## {title}")
        parts[at] = fresh + ("\n" if at + 1 < len(parts) else "")
    else:
        parts = [*parts[:-1], parts[-1].rstrip() + "\n\n", fresh]
    PAGE.write_text("".join(parts))
    print(fresh, file=sys.stdout, flush=True)
