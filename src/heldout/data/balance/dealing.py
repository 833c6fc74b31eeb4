"""Decks of examples -> the rows of any batch of an epoch: which card of which deck comes when.

What is dealt is a function of (seed, epoch, batch) alone: nothing is shuffled in advance, and any batch can be had
without those before it. The law of an epoch is told in `balanced_batches`; there are two ways to obey it, which give
different orders:

- `keyed` computes each place by itself (`keyed_shuffle`), for any number of classes at once. Runs are trained in this
  order, so that those of earlier versions are taken up again as they were begun.
- `in_piles` deals class after class from piles (`pile_shuffle`), in a sixth of the time. With many classes there
  would be too few cards of each in a batch to share anything.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Int, UInt32

from heldout.data.balance.decks import Decks
from heldout.data.balance.keyed_shuffle import mixed, shuffled
from heldout.data.balance.pile_shuffle import PileShuffle
from heldout.randomness import key_of

# Draws computed at once: fewer are slowed by the calls of numpy, more leave the cache. Measured here, 2026-11-22 for
# the keyed way, 2026-11-23 for piles.
BLOCK_DRAWS = 2**16
PILED_DRAWS = 2**16
# Classes that are dealt from piles: each has orders of up to 400 KB, shuffled in 2 ms.
MOST_PILED = 16


@final
@dataclass(frozen=True, slots=True, eq=False)
class Dealing:
    """How decks are dealt from in one epoch, to one of several processes.

    Attributes:
        decks: What is dealt.
        batch_size: Examples of a batch of one process, a multiple of the number of classes.
        seed: Any integer.
        epoch: At least 0.
        rank: Which of the processes, from 0.
        world: How many there are; what each gets in a step is a piece of one batch of world x batch_size.
        piles: The orders of each deck, where it is dealt in piles.
    """

    decks: Decks
    batch_size: int
    seed: int
    epoch: int
    rank: int = 0
    world: int = 1
    piles: tuple[PileShuffle, ...] = ()

    @property
    def n_batches(self) -> int:
        """Batches of the epoch, the same for every process."""
        return math.ceil(int(self.decks.counts.max()) / (self.world * self._n_each))

    @property
    def _n_each(self) -> int:
        return self.batch_size // len(self.decks.counts)

    def batches(self, first: int, last: int) -> Int[np.ndarray, "batches batch_size"]:
        """The rows of the batches from `first` up to `last`, without it."""
        rows = np.empty((last - first, self._n_each, len(self.decks.counts)), np.int64)
        if self.piles:
            for number in range(len(self.piles)):
                rows[:, :, number] = self._piled(number, first, last)
        else:
            rows.transpose(2, 0, 1)[...] = self._keyed(first, last)
        return rows.reshape(last - first, self.batch_size)

    def blocks(self, first: int = 0) -> Iterator[Int[np.ndarray, "batches batch_size"]]:
        """All batches from `first` on, as many at a time as are computed best."""
        n_draws = PILED_DRAWS // self.world if self.piles else BLOCK_DRAWS
        n_at_once = max(1, n_draws // self.batch_size)
        for start in range(first, self.n_batches, n_at_once):
            yield self.batches(start, min(start + n_at_once, self.n_batches))

    def _piled(self, number: int, first: int, last: int) -> UInt32[np.ndarray, "batches n_each"]:
        """The rows of one class: those of all processes are dealt, and this one's kept."""
        n_cards, n_step = int(self.decks.counts[number]), self._n_each * self.world
        begin, end = first * n_step, last * n_step
        n_extra = self.n_batches * n_step % n_cards
        whole = self.n_batches * n_step - n_extra
        pile, parts = self.piles[number], []
        if begin < whole:
            parts.append(pile.cards(int(_base(self.seed, self.epoch, number)), begin, min(end, whole)))
        if end > whole:
            # After the last whole round a few come once more: where the epoch before left off, in an order that stays.
            left_off = self.epoch * n_extra % n_cards - whole
            key = int(_base(self.seed, -1, number))
            parts.append(pile.cards(key, left_off + max(begin, whole), left_off + end, is_same=True))
        cards = parts[0] if len(parts) == 1 else np.concatenate(parts)
        mine = cards.reshape(last - first, self.world, self._n_each)[:, self.rank]
        lowest = int(self.decks.counts[:number].sum())
        return self.decks.rows[lowest : lowest + n_cards].take(mine)

    def _keyed(self, first: int, last: int) -> UInt32[np.ndarray, "classes batches n_each"]:
        """The rows of all classes."""
        mine = np.arange(self.rank * self._n_each, (self.rank + 1) * self._n_each, dtype=np.uint64)
        steps = np.arange(first, last, dtype=np.uint64)[:, None] * np.uint64(self._n_each * self.world)
        return self._dealt((steps + mine).ravel()).reshape(-1, last - first, self._n_each)

    def _dealt(self, draws: Any) -> UInt32[np.ndarray, "classes draws"]:
        """Which example of each class comes at each draw of the epoch."""
        counts = self.decks.counts.astype(np.uint64)[:, None]
        n_draws = np.uint64(self.n_batches * self.world * self._n_each)
        n_rounds, n_extra = np.divmod(n_draws, counts)
        rounds, places = np.divmod(draws, counts)
        orders = rounds + (np.arange(len(counts), dtype=np.uint64)[:, None] << np.uint64(32))
        keys = mixed(orders ^ _base(self.seed, self.epoch))
        extra = rounds == n_rounds
        if extra.any():
            # After the last whole round a few come once more: where the epoch before left off, in an order that stays.
            left_off = np.uint64(self.epoch) % counts * n_extra
            places = np.where(extra, (places + left_off) % counts, places)
            keys = np.where(extra, mixed(orders - n_rounds ^ _base(self.seed)), keys)
        cards = shuffled(places.astype(np.uint32), counts.astype(np.uint32), keys)
        first = np.cumsum(self.decks.counts) - self.decks.counts
        return np.asarray(self.decks.rows[cards + first[:, None]])


def in_piles(decks: Decks, seed: int) -> tuple[PileShuffle, ...]:
    """The orders that decks are dealt in, class by class; none where there are too many classes for that."""
    if len(decks.counts) > MOST_PILED:
        return ()
    counts = enumerate(decks.counts.tolist())
    return tuple(PileShuffle(n_cards, key_of(seed, "batches", -2, number)) for number, n_cards in counts)


def _base(seed: int, *position: int) -> np.uint64:
    return np.uint64(key_of(seed, "batches", *position) & (2**64 - 1))
