"""Who carries out trials: worker processes of this machine, or those of a Ray cluster (`on_ray.py`).

A runner knows nothing of trials: it calls a function on items, and gives each result as it comes. A worker that dies
costs the item that it had, which is tried again.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Protocol, Self, TypeVar

from heldout.provenance import thread_variables

log = logging.getLogger(__name__)
# An item whose worker died so often is given up: it is what kills them.
MAX_ATTEMPTS = 3
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no result: the item's worker died whenever it was tried."""

    why: str


class Runner(Protocol):
    """Calls functions on items, somewhere. A context manager: within, its workers live."""

    @property
    def name(self) -> str:
        """`local` or `ray`."""

    @property
    def n_workers(self) -> int:
        """How many items are worked on at a time."""

    @property
    def overheads(self) -> list[float]:
        """Seconds of each item beside its own work; the first that a worker gets is the longest, for it begins it."""

    def __enter__(self) -> Self:
        """Begin the workers."""

    def __exit__(self, *_: object) -> None:
        """End them, whatever they are at."""

    def run(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """Each item with its result, as they end and in no order.

        Args:
            function: Defined at the top of a module; its items and results can be pickled.
            items: The first are begun first.

        Raises:
            Exception: What the function raises.
        """


class LocalRunner:
    """Worker processes of this machine; each has one item at a time, and they end with this process.

    Args:
        n_workers: How many.
        n_threads: That each may use for computing.
    """

    name = "local"

    def __init__(self, n_workers: int, n_threads: int) -> None:
        self.n_workers = n_workers
        self.overheads: list[float] = []
        self._n_threads = n_threads
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        """Begin the workers."""
        return self

    def __exit__(self, *_: object) -> None:
        """End them, whatever they are at."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def run(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """See `Runner`."""
        waiting = [(item, 1) for item in reversed(items)]
        running: dict[Connection[Any, Any], tuple[_Worker, Item, int, float]] = {}
        while waiting or running:
            while waiting and len(running) < self.n_workers:
                item, attempt = waiting.pop()
                began = time.perf_counter()
                worker = self._idle(running)
                try:
                    worker.connection.send((function, item))
                except OSError:  # it died since it was looked at; it has not got the item
                    self._bury(worker)
                    waiting.append((item, attempt))
                    continue
                running[worker.connection] = (worker, item, attempt, began)
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                worker, item, attempt, began = running.pop(connection)
                try:
                    error, result, seconds = connection.recv()
                except (EOFError, OSError):
                    why = self._bury(worker)
                    if attempt < MAX_ATTEMPTS:
                        log.warning("a worker died (%s); what it did is done again", why)
                        waiting.append((item, attempt + 1))
                    else:
                        yield item, Lost(f"its worker died {MAX_ATTEMPTS} times: {why}")
                    continue
                if error is not None:
                    raise error
                self.overheads.append(time.perf_counter() - began - seconds)
                yield item, result

    def _idle(self, busy: "dict[Connection[Any, Any], Any]") -> "_Worker":
        for worker in self._workers:
            if worker.connection not in busy:
                if worker.process.poll() is None:
                    return worker
                self._bury(worker)
                break
        self._workers.append(_Worker(self._n_threads))
        return self._workers[-1]

    def _bury(self, worker: "_Worker") -> str:
        """Forget a dead worker, and tell what it died of."""
        self._workers.remove(worker)
        code = worker.end()
        if code == -9:
            return "it was killed, as the system does when memory runs out"
        return f"by signal {-code}" if code < 0 else f"exit code {code}"


class _Worker:
    """One process (`worker.py`) and the connection to it."""

    def __init__(self, n_threads: int) -> None:
        self.connection, theirs = Pipe()
        # A process of its own and no fork: this one may have threads, and the caller's script is not imported again.
        environment = os.environ | thread_variables(n_threads)
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, "-P", "-m", "heldout.sweeping.worker", str(theirs.fileno())]
        self.process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment, start_new_session=False
        )
        theirs.close()

    def end(self) -> int:
        """End the process and give its exit code."""
        self.connection.close()
        self.process.kill()
        return self.process.wait()
