"""Trials on a Ray cluster: plain tasks, of which Ray keeps nothing. What is done stands in the ledger."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Self

from heldout.ray_cluster import Died, call_each, check_cpus, connected
from heldout.sweeping.runners import MAX_ATTEMPTS, Item, Lost, Result

log = logging.getLogger(__name__)


class RayRunner:
    """Workers of a Ray cluster: that of `RAY_ADDRESS`, or one that is begun on this machine and ends with the work.

    Args:
        n_workers: How many items are worked on at a time, at most; None for as many as the cluster has CPUs for.
        n_threads: That each computes with.
        shared: Folders that the items need on every node; looked after unless the cluster is begun here.

    Attributes:
        n_workers: How many items are worked on at a time.
        start_seconds: What connecting to the cluster, or beginning it, took.
        overheads: Seconds of each item beside its own work, in the order in which they ended; the first that a worker
            process gets is the longest, for it begins the process and loads what the work needs.
    """

    name = "ray"

    def __init__(self, n_workers: int | None, n_threads: int, shared: Sequence[Path] = ()) -> None:
        self.n_workers = n_workers or 0
        self.start_seconds = 0.0
        self.overheads: list[float] = []
        self._asked, self._n_threads, self._shared = n_workers, n_threads, shared
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            MissingExtra: Ray is not installed.
            UsageError: There is no such cluster, or not one node has CPUs for one item.
            StorageError: A node does not see the shared folders.
        """
        own = (self._asked or 0) * self._n_threads or None
        cluster = self._stack.enter_context(connected(own, shared=self._shared))
        try:
            check_cpus(cluster, 1, self._n_threads, "one item")
        except BaseException:
            self._stack.close()
            raise
        n_places = sum(int(cpus // self._n_threads) for cpus in cluster.cpus.values())
        self.n_workers = min(self._asked or n_places, n_places)
        self.start_seconds = cluster.seconds
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect, and end what was begun."""
        self._stack.close()
        if self.overheads:
            log.info(
                "Ray: ready after %.1f s; beside its own work each of %d took %.3f s (median), the longest %.1f s",
                self.start_seconds,
                len(self.overheads),
                median(self.overheads),
                max(self.overheads),
            )

    def run(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """See `runners.Runner`."""
        calls = call_each(
            function, items, n_at_once=self.n_workers, n_threads=self._n_threads, max_attempts=MAX_ATTEMPTS
        )
        for item, outcome in calls:
            if isinstance(outcome, Died):
                yield item, Lost(outcome.why)
            else:
                self.overheads.append(outcome.overhead)
                yield item, outcome.value
