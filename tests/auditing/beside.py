"""A script run twice, as Python runs it and under watch; and the audit of it by the command line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import heldout.auditing
from heldout.auditing.seen.log import Log, read_log

CHILD = Path(heldout.auditing.__file__).with_name("process") / "child.py"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process wrote, and its exit code."""

    code: int
    out: bytes
    err: bytes


def plain(target: str, *arguments: str, cwd: Path, kind: str = "script", stdin: bytes = b"") -> Ended:
    """Run a script as Python runs it."""
    return _run([*(["-m"] if kind == "module" else []), target, *arguments], cwd, stdin)


def watched(
    target: str,
    *arguments: str,
    cwd: Path,
    kind: str = "script",
    stdin: bytes = b"",
    limits: tuple[str, str] = ("0", "0"),
) -> tuple[Ended, Log | None]:
    """Run a script under watch, without the command line; and its log."""
    log = cwd / "the log"
    log.unlink(missing_ok=True)
    ended = _run([str(CHILD), str(log), *limits, kind, target, *arguments], cwd, stdin)
    return ended, read_log(log)


def _run(command: list[str], cwd: Path, stdin: bytes) -> Ended:
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, input=stdin, env=ENVIRONMENT, capture_output=True, timeout=250, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)
