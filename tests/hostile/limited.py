"""The real command line in a process of its own, with little memory and little time, and what it left behind.

Starting Python and importing numpy takes a second, and there are hundreds of cases. So one process imports the command
line once and forks a child for each case, which sets its limits and calls `heldout.cli.main.main` as the console script
does. That this makes no difference has a test of its own.
"""

import ctypes
import hashlib
import io
import json
import os
import resource
import selectors
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from journeys.command_line import Outcome

SECONDS = 20.0
MAX_RESIDENT_BYTES = 10**9
# What is mapped, not what is used: torch's and OpenVINO's libraries, and 64 MB of malloc's for each thread, count too.
MAX_ADDRESS_BYTES = 4 * 2**30
_MAX_HASHED = 2**30  # of larger files, which are empty inside, only the size is compared
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use.

    Attributes:
        seconds: Until it is killed.
        address_bytes: Of memory that is mapped.
        is_plain_user: Whether root's right to read and write everything is taken from it.
        room_bytes: Of memory that may be mapped beyond what a command finds mapped when it starts, on one processor,
            for each thread maps memory of its own; None: as above.
    """

    seconds: float = SECONDS
    address_bytes: int = MAX_ADDRESS_BYTES
    is_plain_user: bool = False
    room_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        outcome: Its code and what it said; -9 where it was killed because its time was over.
        resident_bytes: The most memory that it used.
        seconds: How long it took.
    """

    outcome: Outcome
    resident_bytes: int
    seconds: float


class Commands:
    """A process that has imported the command line, and forks a child for each command."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, *arguments: str | bytes | Path, home: Path, limits: Limits | None = None) -> Ended:
        """Run one command with `home` as its working folder; its temporary files would lie in `home/tmp`."""
        (home / "tmp").mkdir(exist_ok=True)
        request = asdict(limits or Limits()) | {
            "arguments": [os.fsdecode(argument) for argument in arguments],
            "home": str(home),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        outcome = Outcome(answer["code"], answer["out"], answer["err"])
        return Ended(outcome, answer["resident_bytes"], answer["seconds"])


@contextmanager
def commands(*modules: str, cache: Path) -> Iterator[Commands]:
    """Commands that can be run, with these modules imported beforehand."""
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    script = f"from hostile.limited import serve; serve({list(modules)!r})"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths, "HELDOUT_CACHE": str(cache)},
    ) as process:
        yield Commands(process)
        assert process.stdin is not None
        process.stdin.close()


def serve(modules: Sequence[str]) -> None:
    """Run the commands that standard input asks for, one after the other."""
    for name in modules:
        import_module(name)
    _warm_up()
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


def _warm_up() -> None:
    """Import what is imported late, by commands that are refused before they do anything."""
    from heldout.cli.main import run

    for name in ("check", "train"):
        with redirect_stderr(io.StringIO()):
            assert run([name, "/absent"]) == 2


def _run(request: dict[str, Any]) -> dict[str, Any]:
    pipes = os.pipe(), os.pipe()
    began = time.monotonic()
    child = os.fork()
    if not child:
        _be_the_command(request, pipes[0][1], pipes[1][1])
    for _, writing in pipes:
        os.close(writing)
    texts = _read_both([reading for reading, _ in pipes], child, began + request["seconds"])
    _, status, used = os.wait4(child, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": texts[0].decode(errors="backslashreplace"),
        "err": texts[1].decode(errors="backslashreplace"),
        "resident_bytes": used.ru_maxrss * 1024,
        "seconds": time.monotonic() - began,
    }


def _read_both(readings: Sequence[int], child: int, end: float) -> list[bytes]:
    """What a child says on both of its outputs until it closes them; it is killed when its time is over."""
    found = {reading: bytearray() for reading in readings}
    with selectors.DefaultSelector() as selector:
        for reading in readings:
            selector.register(reading, selectors.EVENT_READ)
        is_killed = False
        while selector.get_map():
            ready = selector.select(None if is_killed else max(0.0, end - time.monotonic()))
            if not ready and not is_killed:
                os.kill(child, signal.SIGKILL)
                is_killed = True
            for key, _ in ready:
                piece = os.read(key.fd, 2**16)
                found[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return [bytes(text) for text in found.values()]


def _be_the_command(request: dict[str, Any], out: int, err: int) -> None:
    """Become the command: its outputs, its folder, its limits. Never returns."""
    code = 255
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(request["home"])
        os.environ["TMPDIR"] = str(Path(request["home"]) / "tmp")
        sys.argv = ["heldout", *request["arguments"]]
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        if request["room_bytes"] is not None:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        resource.setrlimit(resource.RLIMIT_AS, (_address_bytes(request),) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if request["is_plain_user"]:
            be_a_plain_user()
        from heldout.cli.main import main

        main(request["arguments"])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _address_bytes(request: dict[str, Any]) -> int:
    if request["room_bytes"] is None:
        return int(request["address_bytes"])
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return mapped + int(request["room_bytes"])


def be_a_plain_user() -> None:
    """Take from root what lets it read and write everything: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None)
    libc.capget(header, sets)
    for number in (0, 1, 2):  # effective, permitted, inheritable: of the first 32 capabilities
        sets[number] &= ~0b110
    libc.capset(header, sets)


def state_of(folder: Path) -> dict[str, str]:
    """Everything below a folder: kind and mode of each thing, and a hash of what is in it. No link is followed."""
    found: dict[str, str] = {}
    pending = [str(folder)]
    while pending:
        for entry in os.scandir(pending.pop()):
            status = entry.stat(follow_symlinks=False)
            what = str(Path(entry.path).readlink()) if entry.is_symlink() else ""
            if stat.S_ISREG(status.st_mode) and status.st_size > _MAX_HASHED:
                what = str(status.st_size)
            elif stat.S_ISREG(status.st_mode) and os.access(entry.path, os.R_OK):
                with Path(entry.path).open("rb") as file:
                    what = hashlib.file_digest(file, "sha256").hexdigest()
            found[entry.path] = f"{oct(status.st_mode)} {what}"
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
    return found
