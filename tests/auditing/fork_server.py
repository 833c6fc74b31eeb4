"""Runs many scripts under watch, each in a process of its own that finds torch imported: a second each, and not five.

    with ForkServer(environment) as server:
        log = server.log_of(find_target("train.py"), folder)

A process imports torch and scikit-learn once and then forks for each script. All else is as `heldout audit` does it.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from heldout.auditing.process.targets import Target
from heldout.auditing.seen.log import Log, read_log

MOST_SECONDS = 240


class ForkServer:
    """A process that waits for scripts.

    Args:
        environment: Its variables, which the scripts inherit.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def log_of(self, target: Target, folder: Path) -> Log:
        """What was seen of a script that ran in a folder, without arguments; its output is thrown away."""
        assert target.file is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as beside:
            file = Path(beside) / "log"
            print(target.kind, target.file.absolute(), file, folder, sep="\t", file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline().strip()
            log = read_log(file)
        assert log is not None, f"{target.name} left no log, and ended with {answer or 'the server'}"
        return log


def _serve() -> None:
    import sklearn.datasets
    import sklearn.metrics
    import sklearn.model_selection
    import sklearn.preprocessing  # noqa: F401
    import torch.utils.data  # noqa: F401

    import heldout.auditing.process.as_main  # noqa: F401

    for line in sys.stdin:
        if (process := os.fork()) == 0:
            _run(*line.rstrip("\n").split("\t"))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(kind: str, script: str, log: str, folder: str) -> None:
    """Run one script, and end this process as the script ends."""
    import atexit

    from heldout.auditing.process.as_main import Order, run

    with Path(os.devnull).open("r+") as nowhere:
        for stream in (0, 1, 2):
            os.dup2(nowhere.fileno(), stream)
    os.chdir(folder)
    signal.alarm(MOST_SECONDS)
    code = 0
    try:
        run(Order(log, 0.0, 0, kind, script, []), at_first=frozenset(sys.modules), finds_neighbours=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # the log says which
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
