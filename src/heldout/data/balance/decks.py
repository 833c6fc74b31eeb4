"""Labels -> the examples of each class, side by side: 10^8 labels in a second or two, and 4 bytes a label.

Labels are counted, then sorted a block at a time, and every block's examples are laid behind those of their classes
from the blocks before. So nothing but the result is as long as the labels, whatever type they are of.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Int, Shaped, UInt32
from numpy.typing import ArrayLike

from heldout.data.balance.keyed_shuffle import MOST_CARDS
from heldout.errors import UsageError

# Labels sorted at once: their places take 2 MB, which stay in the cache. Measured here, 2026-11-22.
BLOCK_LABELS = 2**18
# Up to so many classes are sought one by one in each block: 2 ns a label for 2 classes, where sorting and laying apart
# take 11, and as much for 8. Measured here, 2026-11-22.
MOST_SOUGHT = 8
# Whole numbers that span no more than this are counted in a table; others, and words, are looked up among the classes.
MOST_SPANNED = 2**16


@final
@dataclass(frozen=True, slots=True, eq=False)
class Decks:
    """Examples by class, ready to be dealt; 4 bytes an example.

    Attributes:
        classes: The labels there are, each once, in rising order.
        counts: How many examples of each, at least 1.
        rows: Which examples: those of the first class in rising order, then those of the second, and so on.
    """

    classes: Shaped[np.ndarray, " classes"]
    counts: Int[np.ndarray, " classes"]
    rows: UInt32[np.ndarray, " examples"]


def decks_of(labels: ArrayLike) -> Decks:
    """The examples of each class, by counting: two passes over the labels, a block at a time.

    Besides the 4 bytes an example that are kept, about 10 MB are in use meanwhile.

    Args:
        labels: One for each example: whole numbers or truth values of any size, in numpy, torch or a list; or words.

    Raises:
        UsageError: There are none, or more than 2^32 - 1, or they are no whole numbers and no words.
    """
    given = _checked(np.asarray(labels))
    classes, counts, encode = _counted(given)
    free = np.cumsum(counts) - counts
    rows = np.empty(len(given), np.uint32)
    for number, block in enumerate(_blocks(given)):
        start = number * BLOCK_LABELS
        if len(classes) <= MOST_SOUGHT:
            free += _lay_few(rows, block, start, free, classes)
        else:
            free += _lay_many(rows, encode(block), start, free)
    return Decks(classes, counts, rows)


def _lay_few(rows: Any, block: Any, start: int, free: Any, classes: Any) -> list[int]:
    """Lay the examples of a block where their classes go on, by looking for one class after another; how many each."""
    here = []
    for label, place in zip(classes, free.tolist(), strict=True):
        found = np.flatnonzero(block == label)
        found += start
        rows[place : place + len(found)] = found
        here.append(len(found))
    return here


def _lay_many(rows: Any, codes: Any, start: int, free: Any) -> Int[np.ndarray, " classes"]:
    """The same by sorting, which for classes numbered in 8 or 16 bits is a radix sort: 6 ns a label."""
    every_code = np.arange(len(free), dtype=np.min_scalar_type(len(free) - 1))
    codes = codes.astype(every_code.dtype)
    order = np.argsort(codes, kind="stable")
    firsts = np.searchsorted(codes, every_code, sorter=order)
    here = np.diff(firsts, append=len(codes))
    places = np.repeat(free - firsts, here)
    places += np.arange(len(codes))
    order += start
    rows[places] = order.astype(np.uint32)
    return np.asarray(here)


def _checked(labels: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, " examples"]:
    """Labels that can be told apart and counted, or a `UsageError`."""
    if labels.dtype.kind in "OT" and all(isinstance(label, str) for label in labels.flat):
        labels = np.array(labels.tolist(), "U")
    if labels.ndim != 1 or not 1 <= len(labels) <= MOST_CARDS or labels.dtype.kind not in "biuUS":
        raise UsageError(
            f"labels of type {labels.dtype} and shape {labels.shape} cannot be balanced",
            expected="one whole number or word for each example, at least one example, and at most 2^32 - 1",
            fix="pass them as one flat array, such as labels.astype(int) where they are whole but stored as floats",
        )
    return labels


def _blocks(labels: Shaped[np.ndarray, " examples"]) -> Iterator[Shaped[np.ndarray, " block"]]:
    for start in range(0, len(labels), BLOCK_LABELS):
        yield labels[start : start + BLOCK_LABELS]


def _counted(
    labels: Shaped[np.ndarray, " examples"],
) -> tuple[Shaped[np.ndarray, " classes"], Int[np.ndarray, " classes"], Callable[[Any], Any]]:
    """The classes in rising order, how many examples each has, and what turns labels into places among them."""
    if labels.dtype.kind in "biu":
        low, high = int(labels.min()), int(labels.max())
        if high - low < MOST_SPANNED and high < 2**63:
            tally = np.zeros(high - low + 1, np.int64)
            for block in _blocks(labels):
                tally += np.bincount(_above(low, block), minlength=len(tally))
            there = np.flatnonzero(tally)
            table = (np.cumsum(tally > 0) - 1).astype(np.uint16)
            return (there + low).astype(labels.dtype), tally[there], lambda block: table[_above(low, block)]
    found = [np.unique(block, return_counts=True) for block in _blocks(labels)]
    classes, codes = np.unique(np.concatenate([each for each, _ in found]), return_inverse=True)
    tally = np.bincount(codes, weights=np.concatenate([counts for _, counts in found])).astype(np.int64)
    return classes, tally, lambda block: np.searchsorted(classes, block)


def _above(low: int, block: Any) -> Any:
    """By how much whole numbers exceed the lowest."""
    return np.subtract(block, low, dtype=np.int64, casting="unsafe")
