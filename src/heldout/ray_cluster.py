"""A Ray cluster: connecting to it, whether it will do, and calling functions on it. Imports Ray only when asked to.

The cluster is the one that `RAY_ADDRESS` names, or one that is begun on this machine and ends with the work. Nothing is
kept in Ray: what is to last lies in files that every node sees.
"""

import logging
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from heldout.errors import MissingExtra, StorageError, UsageError
from heldout.provenance import n_cores, thread_variables
from heldout.records import write_atomic

log = logging.getLogger(__name__)
# How long a node may take to say whether it sees a folder, seconds; a worker process is begun for it first.
_PATIENCE = 300.0
# How long a cluster may take to answer at all.
_ANSWER_SECONDS = 10.0
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is connected.

    Attributes:
        cpus: What Ray counts, by the address of each node.
        gpus: All nodes' together.
        is_own: Whether it was begun on this machine for this work.
        seconds: What connecting or beginning it took.
    """

    cpus: Mapping[str, float]
    gpus: float
    is_own: bool
    seconds: float

    @property
    def n_cpus(self) -> int:
        """All nodes' together."""
        return int(sum(self.cpus.values()))


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What a call gave.

    Attributes:
        value: What the function returned.
        overhead: Seconds that the call took beside the function itself.
    """

    value: Result
    overhead: float


@dataclass(frozen=True, slots=True)
class Died:
    """There is no result: the worker died, and why is known as far as Ray tells."""

    why: str


@contextmanager
def connected(n_cpus: int | None = None, *, shared: Sequence[Path] = ()) -> Iterator[Cluster]:
    """Within: a cluster is connected, which afterwards is as it was before, or ended if it was begun here.

    Args:
        n_cpus: How many CPUs one that is begun here counts; None for those of this machine.
        shared: Folders that every node must see; looked after unless the cluster was begun here.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: There is no cluster at RAY_ADDRESS.
        StorageError: A node does not see one of the folders.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("Ray is not installed", extra="ray") from error
    began, address, temporary = time.monotonic(), os.environ.get("RAY_ADDRESS"), None
    was_connected = bool(ray.is_initialized())
    quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    try:
        if was_connected:
            pass
        elif address:
            _connect(ray, address, quiet)
        else:
            temporary = tempfile.mkdtemp(prefix="heldout-", dir=_short_folder())
            ray.init(
                address="local",
                num_cpus=n_cpus or n_cores(),
                include_dashboard=False,
                _temp_dir=temporary,
                **quiet,
            )
        is_own = temporary is not None
        nodes = [node for node in ray.nodes() if node["Alive"]]
        if shared and not is_own:
            gone = _check_shared(ray, nodes, shared)
            nodes = [node for node in nodes if node["NodeManagerAddress"] not in gone]
        cpus = {node["NodeManagerAddress"]: float(node["Resources"].get("CPU", 0)) for node in nodes}
        gpus = float(sum(node["Resources"].get("GPU", 0) for node in nodes))
        yield Cluster(cpus, gpus, is_own, time.monotonic() - began)
    finally:
        if not was_connected:
            ray.shutdown()
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _connect(ray: Any, address: str, quiet: Mapping[str, Any]) -> None:
    host, colon, port = address.rpartition(":")
    try:
        if colon and port.isdecimal() and "/" not in host:
            # Ray itself tries for a minute, and may end the process then.
            socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
        ray.init(address=address, **quiet)
    except Exception as error:  # OSError, RuntimeError, ValueError, and Ray's own, by what is wrong
        raise UsageError(
            f"there is no Ray cluster to connect to at {address!r} (RAY_ADDRESS): {str(error).partition(chr(10))[0]}",
            expected="the address of a running cluster, with the version of Ray and of Python that is here",
            fix="begin one with `ray start --head`, or unset RAY_ADDRESS to have one begun on this machine",
        ) from error


def _short_folder() -> str:
    """Where Ray's sockets may lie, whose paths have 107 characters at most."""
    folder = tempfile.gettempdir()
    return folder if len(folder) <= 30 or os.name != "posix" else "/tmp"


def check_cpus(cluster: Cluster, n: int, n_each: int, what: str) -> None:
    """Make sure that the cluster can ever do what is asked of it; Ray itself would wait for more nodes, for ever.

    Args:
        cluster: Is connected.
        n: How many must work at the same time.
        n_each: CPUs that each needs on its node.
        what: Needs them.

    Raises:
        UsageError: It has too few.
    """
    n_places = sum(int(cpus // n_each) for cpus in cluster.cpus.values())
    if n_places < n:
        nodes = ", ".join(f"{cpus:g} at {address}" for address, cpus in cluster.cpus.items())
        raise UsageError(
            f"{what} needs {n} times {n_each} CPUs at once, and the Ray cluster counts {nodes}",
            expected="a node with so many CPUs for each",
            fix="ask for fewer workers or threads, or begin nodes with `ray start --num-cpus`",
        )


def _check_shared(ray: Any, nodes: Sequence[Mapping[str, Any]], folders: Sequence[Path]) -> set[str]:
    """Make sure that every node reads what is written here, and give the addresses of those that do not answer."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    token = secrets.token_hex(8)
    names = [folder.resolve() / f".heldout-shared-{token}" for folder in folders]
    try:
        for name in names:
            write_atomic(name, token.encode())
        look = ray.remote(num_cpus=0, max_retries=0)(_read_tokens)
        asked = {
            node["NodeManagerAddress"]: look.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote([str(name) for name in names])
            for node in nodes
        }
        gone = set()
        for address, reference in asked.items():
            try:
                contents = ray.get(reference, timeout=_PATIENCE)
            except ray.exceptions.RayError as error:  # it has just gone: Ray notices after a while
                log.warning("the node %s does not answer: %s", address, str(error).partition("\n")[0])
                gone.add(address)
                continue
            for folder, content in zip(folders, contents, strict=True):
                if content != token:
                    raise StorageError(
                        f"the node {address} of the Ray cluster does not see the folder {folder}",
                        expected="a run folder and a cache on storage that all nodes share, under the same path",
                        fix="choose such places with --out and the variable HELDOUT_CACHE",
                    )
        return gone
    finally:
        for name in names:
            with suppress(OSError):
                name.unlink(missing_ok=True)


def _read_tokens(names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(Path(name).read_text())
        except OSError:
            found.append("")
    return found


def call_each(
    function: Callable[[Item], Result], items: Sequence[Item], *, n_at_once: int, n_threads: int, max_attempts: int
) -> Iterator[tuple[Item, Done[Result] | Died]]:
    """Each item with what the function gives for it, as they end and in no order; a cluster is connected.

    An item whose worker died is tried again, `max_attempts` times in all. Ray itself does not try again: then its
    limits for each kind of death would hold, and not this one.

    Args:
        function: Defined at the top of a module; its items and results can be pickled.
        items: The first are begun first.
        n_at_once: How many are worked on at a time.
        n_threads: That each computes with. Ray's CPUs limit nothing: they are what it counts by.
        max_attempts: An item whose worker died so often is given up: it is what kills them.

    Raises:
        Exception: What the function raises.
    """
    import ray

    environment = {"env_vars": thread_variables(n_threads)}
    remote = ray.remote(num_cpus=n_threads, max_retries=0, runtime_env=environment)(_timed)
    waiting = [(item, 1) for item in reversed(items)]
    running: dict[Any, tuple[Item, int, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < n_at_once:
                item, attempt = waiting.pop()
                running[remote.remote(function, item)] = (item, attempt, time.monotonic())
            (reference,), _ = ray.wait(list(running), num_returns=1)
            item, attempt, began = running.pop(reference)
            try:
                value, seconds = ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                raise (error.cause if isinstance(error.cause, Exception) else error) from None
            except ray.exceptions.RayError as error:  # the worker, its node or its result is gone
                why = str(error).partition("\n")[0] or type(error).__name__
                if attempt < max_attempts:
                    log.warning("a worker died (%s); what it did is done again", why)
                    waiting.append((item, attempt + 1))
                else:
                    yield item, Died(f"its worker died {max_attempts} times: {why}")
                continue
            yield item, Done(value, time.monotonic() - began - seconds)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _timed(function: Callable[[Item], Result], item: Item) -> tuple[Result, float]:
    began = time.monotonic()
    result = function(item)
    return result, time.monotonic() - began
