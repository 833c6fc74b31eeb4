"""A shuffle of one deck for who deals it from top to bottom: a few nanoseconds a card, and any place can be the first.

`keyed_shuffle` computes each place by itself, in 60 ns. Here places that follow one another share the work:

- A few orders of some thousand places are shuffled once for a deck, by a generator. Any two of them, one after the
  other with a turn by an offset in between, make a further order. For a deck of that size each round is such a one.
- A larger deck is dealt in piles of that size. The deck, as it lies, is cut into as many strata as a pile has cards,
  with as many cards each as there are piles; what is left over is a shorter stratum. A pile takes a card of each
  stratum: the one at its own number plus an amount of the stratum, around the end. Numbers and amounts are drawn anew
  for every round, so cards that lie side by side come in piles that have nothing in common. The order within a pile is
  made as above.

A pile is more even than chance: no two cards of a stratum are in it. The orders keep no secrets.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from jaxtyping import Int, UInt16, UInt32

from heldout.data.balance.keyed_shuffle import mixed

# Cards of a pile, or half as many more in a deck of one: 32 KB as numbers of 16 bits, so that the orders of a deck stay
# in the cache. Measured here, 2026-11-23, with the draws of a block (`dealing`).
PILE = 2**14
# Orders that are shuffled for a deck: so many, or as many as take 2^14 numbers. Smaller decks have fewer offsets, and
# more rounds to tell apart. With 8, two piles of 10^4 places have the same order once in 6 x 10^5 times.
LEAST_ORDERS = 8
# Rounds of a smaller deck are computed together; of a larger one each by itself, for 15 us. Measured here, 2026-11-23.
SMALL_DECK = 2**10
_STEP = 0x9E3779B97F4A7C15  # of SplitMix64: the odd number nearest to 2^64 / the golden ratio
_64_BITS = 2**64 - 1


@final
@dataclass(frozen=True, slots=True)
class _Round:
    """How the cards of a large deck are put into piles in one round.

    Attributes:
        amounts: What each stratum adds to the number of a pile, the one that is left over included.
        numbers: Of the piles, in the order in which they are dealt.
        starts: The place of the first card of each pile, and behind them the size of the deck.
    """

    amounts: UInt32[np.ndarray, " strata"]
    numbers: UInt32[np.ndarray, " piles"]
    starts: Int[np.ndarray, " ends"]


@final
class PileShuffle:
    """The orders of one deck.

    Args:
        n_cards: From 1 to 2^32 - 1.
        key: What the orders that all rounds are made from hang on.

    Example:
        >>> shuffle = PileShuffle(5, key=7)
        >>> shuffle.cards(0, 0, 10).tolist(), shuffle.cards(0, 3, 5).tolist()
        ([1, 0, 3, 2, 4, 1, 2, 0, 4, 3], [2, 4])
    """

    def __init__(self, n_cards: int, key: int) -> None:
        self.n_cards = n_cards
        self._key = key
        self._n_piles = max(1, round(n_cards / PILE))
        self._n_strata, self._n_left = divmod(n_cards, self._n_piles)
        self._latest: tuple[int, _Round] | None = None

    @cached_property
    def _orders(self) -> UInt16[np.ndarray, "orders strata"]:
        n_orders = max(LEAST_ORDERS, PILE // self._n_strata)
        orders = np.empty((n_orders, self._n_strata), np.uint16)
        orders[:] = np.arange(self._n_strata)
        return np.random.Generator(np.random.Philox(key=self._key)).permuted(orders, axis=1)

    def cards(self, key: int, first: int, last: int, *, is_same: bool = False) -> UInt32[np.ndarray, " places"]:
        """The cards from place `first` up to `last`, without it, where the deck is dealt round after round.

        Args:
            key: Of the rounds, 64 well mixed bits.
            first: Places are counted on from round to round; in each all cards come once.
            last: At least `first`.
            is_same: Whether all rounds have the order of the first.
        """
        if self.n_cards < SMALL_DECK:
            return self._of_small(key, first, last, is_same)
        cards = np.empty(last - first, np.uint32)
        at = first
        while at < last:
            number, place = divmod(at, self.n_cards)
            of_round = key if is_same else _mixed_one(key + number * _STEP)
            found = self._of_pile(of_round, place, place + last - at)
            cards[at - first : at - first + len(found)] = found
            at += len(found)
        return cards

    def _of_small(self, key: int, first: int, last: int, is_same: bool) -> UInt32[np.ndarray, " places"]:
        """Whole rounds, a row each, of which those before and behind are left out.

        There may be millions of rounds, so the cards are turned once more at the end: n times as many orders.
        """
        size, n_orders = self.n_cards, np.uint64(len(self._orders))
        begin = first // size
        rounds = np.arange(begin, -(-last // size), dtype=np.uint64)
        keys = mixed(np.uint64(key) + rounds * np.uint64(0 if is_same else _STEP))
        outer = (keys % n_orders * np.uint64(size)).astype(np.uint32)
        inner = self._orders.take((keys >> np.uint64(16)) % n_orders, axis=0)
        offsets = (((keys >> np.uint64(32)) % np.uint64(size**2)).astype(np.uint32))[:, None]
        cards = self._orders.ravel().take(_wrapped(inner + offsets // size, size) + outer[:, None])
        cards = _wrapped(cards + offsets % size, size)
        return np.asarray(cards.ravel()[first - begin * size : last - begin * size])

    def _of_pile(self, of_round: int, place: int, end: int) -> Int[np.ndarray, " places"]:
        """The cards from a place of a round on, up to `end` or the last of the pile."""
        if self._n_piles == 1:
            return self._strata(of_round, place, min(end, self.n_cards))
        this = self._round(of_round)
        pile = int(np.searchsorted(this.starts, place, "right")) - 1
        start, stop = this.starts[pile : pile + 2].tolist()
        key = _mixed_one(of_round + (pile + 1) * _STEP)
        strata = self._strata(key, place - start, min(end, stop) - start, has_left=stop - start > self._n_strata)
        strata = strata.astype(np.uint32)
        columns = this.amounts.take(strata)
        columns += this.numbers[pile]
        strata *= np.uint32(self._n_piles)
        strata += _wrapped(columns, self._n_piles)
        return strata

    def _strata(self, key: int, first: int, last: int, *, has_left: bool = False) -> UInt16[np.ndarray, " places"]:
        """From which stratum a card comes at each place of a pile; in a deck of one pile, which card."""
        size, (n_orders, _) = self._n_strata, self._orders.shape
        outer, inner = self._orders[key % n_orders], self._orders[(key >> 16) % n_orders]
        offset = np.uint16((key >> 32) % size)
        strata: UInt16[np.ndarray, " places"] = outer.take(_wrapped(inner[first:last] + offset, size))
        if has_left:
            # The card of the shorter stratum takes the place of another one, which is dealt last.
            chosen = _mixed_one(key) % (size + 1)
            if last > size:
                moved = outer.take(_wrapped(inner[chosen : chosen + 1] + offset, size)) if chosen < size else [size]
                strata = np.append(strata, np.array(moved, np.uint16))
            if first <= chosen < min(last, size):
                strata[chosen - first] = size
        return strata

    def _round(self, of_round: int) -> _Round:
        if self._latest is None or self._latest[0] != of_round:
            generator = np.random.Generator(np.random.Philox(key=of_round))
            numbers = generator.permutation(self._n_piles)
            amounts = generator.integers(0, self._n_piles, self._n_strata + 1)
            sizes = self._n_strata + ((numbers + amounts[-1]) % self._n_piles < self._n_left)
            starts = np.concatenate([[0], np.cumsum(sizes)])
            self._latest = of_round, _Round(amounts.astype(np.uint32), numbers.astype(np.uint32), starts)
        latest: _Round = self._latest[1]
        return latest


def _wrapped(numbers: Any, size: int) -> Any:
    """Numbers from 0 to 2 x size - 1, modulo `size`, in place; less than 2/3 of what their type holds."""
    return np.minimum(numbers, numbers - numbers.dtype.type(size), out=numbers)  # below 0 it wraps to a large number


def _mixed_one(number: int) -> int:
    """What `mixed` makes of one number, in a microsecond."""
    number &= _64_BITS
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _64_BITS
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _64_BITS
    return number ^ number >> 31
