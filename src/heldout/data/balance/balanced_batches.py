"""Batches that hold exactly as many examples of each class, however rare it is: of 10^8 labels as fast as of 10^4.

Each class is a deck of cards that is dealt from again and again. An epoch lasts until every example of the commonest
class has been dealt; by then the rarer decks have gone round several times, each time in a new order. So within an
epoch

- every batch holds batch_size / n_classes examples of each class, and any n_classes neighbours in it are one of each:
  its pieces, such as those of several workers, are balanced too;
- no example is dealt a second time before all of its class have been dealt once, and so on for every further time;
- every example of every class is dealt, each as often as the others of its class, or once more. Who comes once more
  goes round from epoch to epoch, so that over any number of epochs it remains at most once.

What is dealt is a function of (seed, epoch, batch) alone: nothing is shuffled in advance, and any batch can be had
without those before it. An example stands twice in a batch only where its deck ends in it, or has fewer cards than the
batch has places for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, count, repeat
from typing import final

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike

from heldout.data.balance.dealing import Dealing, in_piles
from heldout.data.balance.decks import decks_of
from heldout.errors import UsageError

# Lists are made of so many rows at once: the numbers of those before are given back, and their memory is still at hand.
_LISTED_DRAWS = 2**11
# Of the state: whether decks are dealt each place by itself, as all were in 0.1.0, or in piles.
_KEYED, _PILED = 1, 2


def sizes_near(batch_size: int, n_classes: int) -> tuple[int, ...]:
    """The nearest sizes that a balanced batch can have: one where `batch_size` is right, else the next on either side.

    Example:
        >>> sizes_near(32, 2), sizes_near(32, 5), sizes_near(32, 102)
        ((32,), (30, 35), (102,))
    """
    below = batch_size // n_classes * n_classes
    near = (below,) if below == batch_size else (below, below + n_classes)
    return tuple(size for size in near if size > 0) or (n_classes,)


def checked_size(batch_size: int, n_classes: int) -> int:
    """`batch_size`, if it is a multiple of the number of classes; a `UsageError` that names those nearby if not."""
    if batch_size < 1 or batch_size % n_classes:
        near = sizes_near(batch_size, n_classes)
        raise UsageError(
            f"batches of {batch_size} cannot hold {n_classes} classes in equal numbers",
            expected=f"a multiple of {n_classes}",
            fix=f"choose a batch size of {' or '.join(map(str, near))}",
        )
    return batch_size


@final
class BalancedBatchSampler:
    """Balanced batches for a torch `DataLoader`, as its `batch_sampler`; torch itself is not needed.

    Each iteration is an epoch, and gives a list of row numbers a batch. The first is epoch 0, or what `set_epoch` or
    `load_state_dict` said; every further one is the next epoch, also where the one before was broken off. So an order
    is never given twice because someone forgot to ask for another.

    What a batch and an epoch hold is told in this file's docstring, and the order in that of `dealing`. `len` is the
    number of batches an epoch, whatever the epoch.

    Args:
        labels: The class of each row: whole numbers, truth values or words; an array, a tensor or a list.
        batch_size: Rows of a batch of this process, a multiple of the number of classes.
        seed: Any integer; the same for all processes.
        rank: Which of the processes this one is, from 0.
        world: How many processes learn from the same labels. Each gets a balanced batch of its own in every step, and
            laid end to end these are the batch that one process would get with a batch size of world x `batch_size`.

    Raises:
        UsageError: `batch_size` is no such multiple (those nearby are named), or labels or rank cannot be meant.

    Example:
        >>> sampler = BalancedBatchSampler([0, 0, 0, 0, 0, 1, 1], batch_size=4)
        >>> list(sampler)
        [[4, 5, 0, 6], [1, 5, 2, 6], [3, 6, 0, 5]]
    """

    def __init__(self, labels: ArrayLike, batch_size: int, *, seed: int = 0, rank: int = 0, world: int = 1) -> None:
        if not 0 <= rank < world:
            raise UsageError(
                f"rank is {rank} of a world of {world}",
                expected="ranks from 0 to world - 1",
                fix="pass the number of this process as rank, and how many there are as world",
            )
        decks = decks_of(labels)
        size = checked_size(batch_size, len(decks.counts))
        self._dealing = Dealing(decks, size, seed, 0, rank, world, in_piles(decks, seed))
        self._next = (0, 0)
        self._reached = (0, 0)

    def __len__(self) -> int:
        return self._dealing.n_batches

    def __iter__(self) -> Iterator[list[int]]:
        epoch, first = self._reached = self._next
        self._next = (epoch + 1, 0)
        return self._batches(epoch, first)

    def _batches(self, epoch: int, first: int) -> Iterator[list[int]]:
        n_at_once = max(1, _LISTED_DRAWS // self._dealing.batch_size)
        blocks = replace(self._dealing, epoch=epoch).blocks(first)
        pieces = (block[start : start + n_at_once] for block in blocks for start in range(0, len(block), n_at_once))
        batches = chain.from_iterable(piece.tolist() for piece in pieces)
        for self._reached, batch in zip(zip(repeat(epoch), count(first + 1)), batches, strict=False):
            yield batch

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration this epoch, from its first batch on.

        Args:
            epoch: Counted from 0.
        """
        self.load_state_dict(self._identity() | {"epoch": epoch, "batch": 0})

    def state_dict(self, batch: int | None = None) -> dict[str, int]:
        """Where the latest iteration is, in a few integers, the same for every rank.

        Args:
            batch: How many batches of its epoch were learned from. A `DataLoader` with workers draws batches ahead, so
                there only the training knows. None for all that were drawn.
        """
        epoch, n_drawn = self._reached
        n_done = n_drawn if batch is None else batch
        position = {"epoch": epoch, "batch": n_done} if n_done < len(self) else {"epoch": epoch + 1, "batch": 0}
        return self._identity() | position

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Make the next iteration go on where the state was taken.

        Raises:
            UsageError: The state is of a sampler that gives other batches, or of no batch.
        """
        given = {"order": _KEYED, **state}
        for name, value in self._identity().items():
            if given.get(name) != value:
                raise UsageError(
                    f"the state is of a sampler with {name} {given.get(name)}, this one has {value}",
                    expected="labels, batch size, seed, world and order as they were when the state was taken",
                    fix="make the sampler as it was made then, or begin an epoch with set_epoch",
                )
        epoch, batch = state.get("epoch", -1), state.get("batch", -1)
        if epoch < 0 or not 0 <= batch < len(self):
            raise UsageError(
                f"there is no batch {batch} of epoch {epoch}",
                expected=f"an epoch from 0 on, and a batch from 0 to {len(self) - 1}",
                fix="pass what state_dict returned, or an epoch that was begun",
            )
        self._next = self._reached = (epoch, batch)

    def _identity(self) -> dict[str, int]:
        dealing = self._dealing
        return {
            "seed": dealing.seed,
            "batch_size": dealing.batch_size,
            "world": dealing.world,
            "n_examples": len(dealing.decks.rows),
            "n_classes": len(dealing.decks.counts),
            "order": _PILED if dealing.piles else _KEYED,
        }


def balanced_order(
    labels: Int[np.ndarray, " examples"], indices: Int[np.ndarray, " chosen"], batch_size: int, *, seed: int, epoch: int
) -> list[Int[np.ndarray, " batch_size"]]:
    """The rows of each batch of a balanced training epoch, in order; an empty list where none are chosen.

    The law is that of this file's docstring. Memory: 8 bytes a row of the epoch, which are as many as the commonest
    class has examples, times the number of classes.

    Args:
        labels: The class of each row.
        indices: Which rows are learned from.
        batch_size: A multiple of the number of classes among them.
        seed: The seed of the run.
        epoch: At least 0.

    Raises:
        UsageError: `batch_size` is no such multiple.

    Example:
        >>> order = balanced_order(np.array([0, 1, 0, 0, 1, 0]), np.array([0, 1, 2, 3, 4]), 4, seed=0, epoch=1)
        >>> [rows.tolist() for rows in order]
        [[2, 1, 3, 4], [0, 4, 0, 1]]
    """
    if len(indices) == 0:
        return []
    decks = decks_of(labels[indices])
    dealing = Dealing(decks, checked_size(batch_size, len(decks.counts)), seed, epoch)
    return [indices[rows] for block in dealing.blocks() for rows in block]
