"""The real command line in a forked child of a process that has imported it: what takes seconds to import is there.

    process = start(["train", "photos"], cwd=folder, environment=os.environ)

A child sets its folder, environment, input and outputs, and calls `heldout.cli.main.main` as the console script does.
What only a new process can show, such as an interruption while modules are imported, a limit set before Python starts
or what is imported when, must start one: `command_line.heldout(..., is_fresh=True)`.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

# What commands import late. Nothing here starts a thread, which a fork would leave behind.
_LATE = (
    *("pyarrow.compute", "pyarrow.parquet", "pyarrow.fs", "jinja2", "safetensors.numpy", "safetensors.torch"),
    *("pandas", "torch", "torch._dynamo", "torch._refs", "torch.fx.experimental.symbolic_shapes"),
    *(f"PIL.{kind}ImagePlugin" for kind in ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Tiff", "WebP")),
    *(
        f"heldout.cli.{name}"
        for name in ("check", "compare", "evaluate", "predict", "report", "resume", "sweep", "train")
    ),
    *(
        f"heldout.verbs.{name}"
        for name in ("checking", "comparing", "evaluating", "predicting", "running", "searching")
    ),
    *("heldout.experiment", "heldout.training.by_batches", "heldout.training.loop", "heldout.models.build"),
    *("heldout.reporting.page", "heldout.reporting.sweep_page", "heldout.reporting.check_page"),
)
# Read when libraries are imported, so a fork cannot change them.
READ_AT_IMPORT = frozenset({"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONPATH"})


class Process:
    """A command that is under way, with what is used of `subprocess.Popen`."""

    def __init__(self, server: "_Server", pid: int, outputs: tuple[Path, Path]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server, self._outputs = server, outputs

    def poll(self) -> int | None:
        """The exit code, or None while it runs; minus a signal's number where one ended it."""
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; none once it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """The exit code; it is killed when its time is over."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                self.send_signal(signal.SIGKILL)
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.002)
        assert self.returncode is not None
        return self.returncode

    def communicate(self, timeout: float = 280) -> tuple[str, str]:
        """Both outputs, once it has ended."""
        self.wait(timeout)
        out, err = (path.read_bytes() for path in self._outputs)
        return out.decode(errors="surrogateescape"), err.decode()

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait(280)


def start(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdin: bytes = b"", setting: str = ""
) -> Process:
    """Start a command; `setting` is Python that runs before it, in its process."""
    server = _server()
    folder = Path(tempfile.mkdtemp(dir=server.folder.name))
    (folder / "in").write_bytes(stdin)
    request = {"arguments": list(arguments), "cwd": str(cwd), "environment": dict(environment)}
    pid = server.ask(request | {"folder": str(folder), "setting": setting})
    return Process(server, pid, (folder / "out", folder / "err"))


class _Server:
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="heldout-forked-")
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()
        self.folder.cleanup()


_started: list[_Server] = []


def _server() -> _Server:
    if not _started:
        _started.append(_Server())
        atexit.register(_started[0].end)
    return _started[0]


def _serve() -> None:
    for name in _LATE:
        import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            ended, status = os.waitpid(request["poll"], os.WNOHANG)
            print(json.dumps(os.waitstatus_to_exitcode(status) if ended else None), flush=True)
            continue
        child = os.fork()
        if not child:
            _be_the_command(request)
        print(child, flush=True)


def _be_the_command(request: Mapping[str, Any]) -> None:
    """Become the command: its folder, environment, input and outputs. Never returns."""
    code = 255
    try:
        folder = Path(request["folder"])
        for number, (name, flags) in enumerate((("in", os.O_RDONLY), ("out", os.O_CREAT | os.O_WRONLY | os.O_APPEND))):
            os.dup2(os.open(folder / name, flags), number)
        os.dup2(os.open(folder / "err", os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)
        os.closerange(3, 256)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[0], sys.argv = request["cwd"], ["heldout", *request["arguments"]]
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
        exec(request["setting"])
        from heldout.cli.main import main

        main(request["arguments"])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
