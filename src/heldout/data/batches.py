"""Stored inputs of a network -> seeded batches that can be taken up again at any position.

An input is what a network reads: a uint8 picture after the resize of its short side and the cut of the square (a
"canvas", from which augmentation crops), or the kept output of a frozen trunk. They are read when they are needed, so
that what is resident stays one batch in use and one being read, however many examples there are.

The order of an epoch is a function of (seed, epoch) alone: a position is two integers, and any batch of any epoch can
be had again without drawing the ones before it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, Shaped

from heldout.data.balance.balanced_batches import balanced_order
from heldout.randomness import stream


@runtime_checkable
class Rows(Protocol):
    """Arrays of one shape and dtype, one an example, read when they are asked for."""

    def __len__(self) -> int:
        """How many examples there are."""

    def take(self, indices: Iterable[int]) -> Shaped[np.ndarray, "chosen ..."]:
        """These rows, stacked; called from one thread at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class RowsInMemory:
    """Rows that were read once: for those that are small, and read again in every epoch."""

    rows: Shaped[np.ndarray, "examples ..."]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Iterable[int]) -> Shaped[np.ndarray, "chosen ..."]:
        """These rows, stacked."""
        chosen = indices if isinstance(indices, np.ndarray) else np.fromiter(indices, np.int64)
        return self.rows.take(chosen, axis=0)


class Share(NamedTuple):
    """Which contiguous piece of every batch is read: that of process `rank` of `world`; all of it by default.

    Attributes:
        rank: Counted from 0.
        world: How many pieces each batch is cut into, of sizes that differ by one at most; some are empty where a batch
            has fewer examples.
    """

    rank: int = 0
    world: int = 1

    def of(self, n: int) -> range:
        """The places of the piece in a batch of `n` examples.

        Example:
            >>> [list(Share(rank, 3).of(4)) for rank in range(3)]
            [[0, 1], [2], [3]]
        """
        small, n_larger = divmod(n, self.world)
        first = self.rank * small + min(self.rank, n_larger)
        return range(first, first + small + (self.rank < n_larger))


WHOLE = Share()


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some examples at once, or a piece of them.

    Attributes:
        inputs: As stored: uint8 pixels of shape (batch, size, size, 3), or a trunk's output.
        labels: The class of each.
        indices: Which rows they are.
        epoch: Counted from 1; 0 in evaluation.
        step: Which batch of the epoch, counted from 0.
        first: The place of its first example in the whole batch.
        n_whole: Examples of the whole batch.
    """

    inputs: Shaped[np.ndarray, "batch ..."]
    labels: Int[np.ndarray, " batch"]
    indices: Int[np.ndarray, " batch"]
    epoch: int
    step: int
    first: int
    n_whole: int


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """The examples of one part, and how many of them at once.

    Attributes:
        rows: The inputs of the part, perhaps among others.
        labels: The class of each row.
        indices: Which rows belong to the part.
        batch_size: The largest batch, at least 1.
        is_balanced: Whether every batch has equally many examples of each class, and the rarer ones come more often.
    """

    rows: Rows
    labels: Int[np.ndarray, " examples"]
    indices: Int[np.ndarray, " chosen"]
    batch_size: int
    is_balanced: bool = False

    def __post_init__(self) -> None:
        assert len(self.rows) == len(self.labels), f"{len(self.rows)} rows, {len(self.labels)} labels"

    @property
    def n_batches(self) -> int:
        """How many batches make an epoch."""
        if self.is_balanced:
            counts = np.unique(self.labels[self.indices], return_counts=True)[1]
            return math.ceil(int(counts.max()) / (self.batch_size // len(counts)))
        return math.ceil(len(self.indices) / self.batch_size)


def epoch_order(batches: Batches, *, seed: int, epoch: int) -> list[Int[np.ndarray, " _"]]:
    """The rows of each batch of a training epoch, in order; an empty list where the part is empty.

    Where the batches are balanced, `balanced_batches` says which they are. Otherwise every example stands in exactly
    one batch. The batches are as equal as can be: their sizes differ by one at most,
    and none is larger than `batch_size`. So there is no small last batch, whose gradient would count as much as a
    full one's, and none of one example (on which batch normalisation cannot work) unless `batch_size` is 1 or 2.

    Args:
        batches: Of which the order is wanted.
        seed: The seed of the run.
        epoch: Counted from 1.
    """
    if batches.is_balanced:
        return balanced_order(batches.labels, batches.indices, batches.batch_size, seed=seed, epoch=epoch)
    shuffled = stream(seed, "batches", epoch).permutation(batches.indices)
    return np.array_split(shuffled, batches.n_batches) if len(shuffled) else []


def training_batches(
    batches: Batches, *, seed: int, epoch: int, first_step: int = 0, share: Share = WHOLE
) -> Iterator[Batch]:
    """The batches of one epoch in their seeded order, from batch `first_step` on, or a piece of each.

    While one batch is in use, the next is read in a thread.

    Example:
        >>> part = Batches(np.zeros((10, 2)), np.zeros(10, np.int64), np.arange(10), batch_size=4)
        >>> [len(batch.labels) for batch in training_batches(part, seed=0, epoch=1)]
        [4, 3, 3]
    """
    return _read_ahead(batches, epoch_order(batches, seed=seed, epoch=epoch), epoch, first_step, share)


def evaluation_batches(batches: Batches, share: Share = WHOLE) -> Iterator[Batch]:
    """All examples once, in the order of `batches.indices`, or a piece of each batch.

    The last batch holds what is left, however few. The pieces of all ranks are every example once.
    """
    starts = range(0, len(batches.indices), batches.batch_size)
    chosen = [batches.indices[start : start + batches.batch_size] for start in starts]
    return _read_ahead(batches, chosen, 0, 0, share)


def _read_ahead(
    batches: Batches, chosen: Sequence[Int[np.ndarray, " _"]], epoch: int, first_step: int, share: Share
) -> Iterator[Batch]:
    def read(step: int) -> Batch:
        places = share.of(len(chosen[step]))
        indices = np.asarray(chosen[step], dtype=np.int64)[places.start : places.stop]
        inputs = batches.rows.take(indices if isinstance(batches.rows, RowsInMemory) else indices.tolist())
        labels = batches.labels[indices].astype(np.int64)
        return Batch(inputs, labels, indices, epoch, step, places.start, len(chosen[step]))

    if isinstance(batches.rows, RowsInMemory):  # there is nothing to wait for
        yield from map(read, range(first_step, len(chosen)))
        return
    with ThreadPoolExecutor(1, thread_name_prefix="heldout-read") as pool:
        coming = [pool.submit(read, step) for step in range(first_step, len(chosen))[:1]]
        for step in range(first_step, len(chosen)):
            batch = coming.pop().result()
            if step + 1 < len(chosen):
                coming.append(pool.submit(read, step + 1))
            yield batch
