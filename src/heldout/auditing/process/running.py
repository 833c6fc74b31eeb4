"""Runs a script in a process of its own, as `python SCRIPT` would, and brings back what was seen of it."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from heldout.auditing.process.targets import Target
from heldout.auditing.seen.log import Log, read_log
from heldout.errors import StorageError

# Beyond its limit a script has this long to stop by itself, or by its watch, before the system ends it. Assumed; it
# is met by scripts alone that hang in code which is no Python.
_SECONDS_TO_STOP = 30.0
_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a script may run.

    Attributes:
        seconds: 0 for ever.
        steps: Of its optimisers; 0 for any number.
    """

    seconds: float = 0.0
    steps: int = 0


def run_watched(
    target: Target, arguments: Sequence[str], limits: Limits, *, stdout: int | None = None
) -> tuple[Log, int]:
    """What was seen of a script, and its exit code as a shell has it: 128 and the signal where one ended it.

    Args:
        target: What is run.
        arguments: Its own.
        limits: How long it may run.
        stdout: The file descriptor that it writes to; None for ours.

    Raises:
        StorageError: There is no place for its log.
    """
    with _folder() as folder:
        file = Path(folder) / "log"
        limited = [f"{limits.seconds:g}", str(limits.steps)]
        command = [sys.executable, str(_CHILD), str(file), *limited, target.kind, target.name, *arguments]
        # Its descriptors are those that `python SCRIPT` would inherit; ours are not among them (PEP 446).
        process = subprocess.Popen(command, stdout=stdout, close_fds=False)
        begun = time.monotonic()
        code, was_killed = _wait(process, limits.seconds)
        log = _log_in(file)
    if log is None:
        log = Log(script=target.name, seconds=time.monotonic() - begun)
        log.faults = () if code else ("the script left no log; it may have put another program in its own place",)
    if was_killed:
        log.outcome, code = f"stopped after {limits.seconds:g} s", 0
    if log.outcome == "running":
        log.outcome = _ended_by(code)
    return log, code if code >= 0 else 128 - code


def _wait(process: "subprocess.Popen[Any]", seconds: float) -> tuple[int, bool]:
    """How a script ended, and whether we had to kill it for being far beyond its time."""
    was_killed = threading.Event()

    def kill() -> None:
        was_killed.set()
        process.kill()

    killer = threading.Timer(seconds + _SECONDS_TO_STOP, kill)
    killer.daemon = True
    try:
        with _signals_for(process):
            if seconds:
                killer.start()
            code = process.wait()
    finally:
        killer.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
    return code, was_killed.is_set()


@contextmanager
def _folder() -> Iterator[str]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="heldout-audit-", ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(
            f"no temporary file can be written: {error.strerror or error}",
            expected="a folder for temporary files with room for a few megabytes",
            fix="TMPDIR=/a/folder/of/yours heldout audit ...",
        ) from None
    with folder as path:
        yield path


def _log_in(file: Path) -> Log | None:
    try:
        return read_log(file)
    except Exception:  # whatever a script may do to a file that is not its own
        return None


def _ended_by(code: int) -> str:
    if code >= 0:
        return f"exit {code}" if code else "finished"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


@contextmanager
def _signals_for(process: "subprocess.Popen[Any]") -> Iterator[None]:
    """Within: Ctrl-C and SIGTERM are the script's; we wait for what it makes of them. The third Ctrl-C kills it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    n_interrupts = n_terms = 0

    def interrupted(_: int, __: FrameType | None) -> None:
        nonlocal n_interrupts
        n_interrupts += 1
        if n_interrupts > 2:
            process.kill()
        elif n_interrupts == 2 or not _is_in_front():
            process.send_signal(signal.SIGINT)

    def terminated(_: int, __: FrameType | None) -> None:
        nonlocal n_terms
        n_terms += 1
        process.terminate() if n_terms == 1 else process.kill()

    handlers = {signal.SIGINT: interrupted, signal.SIGTERM: terminated}
    before = {number: signal.getsignal(number) for number in handlers}
    ours = [number for number in handlers if before[number] not in {signal.SIG_IGN, None}]
    for number in ours:
        signal.signal(number, handlers[number])
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _is_in_front() -> bool:
    """Whether Ctrl-C of a terminal reaches us and the script alike, so that it must not be sent on."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
