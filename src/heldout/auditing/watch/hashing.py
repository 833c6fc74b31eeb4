"""Hashes of samples: exact, 64 bits, of each row of an array at once. Imports numpy alone.

Two rows have the same hash where they are equal byte for byte, and otherwise with a chance of about 1 in 2^64: each
word of a row is mixed and multiplied by an odd number of its own place, and the products are added up (multiply-shift
hashing of vectors).

Source:
    Dietzfelbinger, "Universal hashing and k-wise independent random variables via integer arithmetic without primes"
    (1996), for the family; the mixing beforehand is ours and spreads low-entropy words.
"""

from hashlib import blake2b
from mmap import mmap
from typing import Any

import numpy as np
from jaxtyping import UInt64

# Words of a row that are multiplied at once: what is in use meanwhile is as large as that many words a row.
_BLOCK_WORDS = 4096
_GOLDEN = 0x9E3779B97F4A7C15
# Of the mixing before and after; made once, for mixing a few takes no longer than making these.
_SHIFT = np.uint64(29)
_FINAL_SHIFTS = np.array([30, 27, 31], np.uint64)
_FINAL_FACTORS = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)
# Hashes that came lately and are searched as they are, where sorting them in would cost more.
_MOST_FRESH = 4096
# A set of so few is a plain one: some 100 bytes each.
_MOST_FEW = 2**14
# A set of more hashes than these lies in so many parts (a power of two).
_SPLIT_FROM = 2**16
_PART_BITS = 6


def row_hashes(rows: Any) -> UInt64[np.ndarray, " rows"]:
    """A hash of each row of an array, of any type and shape; rows of different lengths never are equal by chance.

    Example:
        >>> hashes = row_hashes(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]))
        >>> bool(hashes[0] == hashes[2]), bool(hashes[0] == hashes[1])
        (True, False)
    """
    array = np.ascontiguousarray(rows)
    n_rows = len(array)
    if n_rows == 0:
        return np.zeros(0, np.uint64)
    if array.dtype.kind in "OUS":
        return np.array([text_hash(str(row)) for row in array.reshape(n_rows, -1).tolist()], np.uint64)
    flat = array.reshape(n_rows, -1).view(np.uint8)
    n_bytes = flat.shape[1]
    if n_bytes % 8:
        padded = np.zeros((n_rows, n_bytes + -n_bytes % 8), np.uint8)
        padded[:, :n_bytes] = flat
        flat = padded
    words = flat.view(np.uint64)
    total = np.full(n_rows, n_bytes * _GOLDEN % 2**64, np.uint64)
    for start in range(0, words.shape[1], _BLOCK_WORDS):
        block = words[:, start : start + _BLOCK_WORDS]
        block = block ^ (block >> _SHIFT)
        block *= _multipliers(start, block.shape[1])
        total += np.add.reduce(block, axis=1)
    return mixed(total)


def mixed(numbers: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """All bits of the result hang on all bits of the number (the finalizer of SplitMix64)."""
    numbers = (numbers ^ (numbers >> _FINAL_SHIFTS[0])) * _FINAL_FACTORS[0]
    numbers = (numbers ^ (numbers >> _FINAL_SHIFTS[1])) * _FINAL_FACTORS[1]
    return np.asarray(numbers ^ (numbers >> _FINAL_SHIFTS[2]))


def distinct(values: Any) -> np.ndarray:
    """Each value once, in rising order. `np.unique` would have `numpy.ma` imported, which the script may never do."""
    return _first_of_each(np.sort(values))


def _first_of_each(ordered: np.ndarray) -> np.ndarray:
    is_first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.asarray(ordered[is_first])


def held_by(ordered: UInt64[np.ndarray, " held"], hashes: UInt64[np.ndarray, " rows"]) -> np.ndarray:
    """Which of some hashes stand among others.

    Args:
        ordered: The others, in rising order.
        hashes: The ones that are asked about.
    """
    if not len(ordered):
        return np.zeros(len(hashes), bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)] == hashes)


def text_hash(text: str) -> int:
    """A hash of a text, the same in every process.

    Example:
        >>> text_hash("a") == text_hash("a"), text_hash("a") == text_hash("b")
        (True, False)
    """
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little") if content else 0


def _multipliers(start: int, n: int) -> UInt64[np.ndarray, " words"]:
    """An odd number for each place, the same in every process."""
    if start == 0 and n in _kept:
        return _kept[n]
    places = np.arange(start + 1, start + n + 1, dtype=np.uint64)
    found = mixed(places * np.uint64(_GOLDEN)) | np.uint64(1)
    if start == 0 and len(_kept) < 64:
        _kept[n] = found
    return found


_kept: dict[int, np.ndarray] = {}


class HashSet:
    """A growing set of 64-bit hashes: 8 bytes each, and while it grows at most 10.

    A small one is a plain set: numpy takes longer to begin. A large one lies in parts, by the highest bits, so that
    little is in use twice while fresh ones are put in.
    """

    def __init__(self) -> None:
        self._few: set[int] | None = set()
        self._parts = [np.zeros(0, np.uint64)]
        self._fresh: list[np.ndarray] = []
        self._n = self._n_fresh = 0

    def add(self, hashes: UInt64[np.ndarray, " rows"]) -> None:
        """Put hashes in; those that are there already change nothing."""
        if self._few is not None:
            if len(self._few) + len(hashes) <= _MOST_FEW:
                self._few.update(hashes.tolist())
                return
            hashes = np.concatenate([self._sorted_few(), hashes])
            self._few = None
        self._fresh.append(hashes)
        self._n_fresh += len(hashes)
        if self._n_fresh > max(_MOST_FRESH, self._n // 16):
            self._merge()

    def holds(self, hashes: UInt64[np.ndarray, " rows"]) -> np.ndarray:
        """Which of these are in it."""
        if self._few is not None:
            return np.fromiter(map(self._few.__contains__, hashes.tolist()), bool, len(hashes))
        if self._n_fresh > _MOST_FRESH:
            self._merge()
        fresh = np.sort(np.concatenate(self._fresh)) if self._fresh else self._parts[0][:0]
        found = held_by(fresh, hashes)
        which = hashes >> np.uint64(64 - _PART_BITS) if len(self._parts) > 1 else np.zeros(len(hashes), np.uint64)
        for number in distinct(which).tolist():
            asked = which == number
            found[asked] |= held_by(self._parts[number], hashes[asked])
        return found

    def parts(self) -> list[UInt64[np.ndarray, " hashes"]]:
        """All of them, each once, in rising order, in one piece or several."""
        if self._few is not None:
            return [self._sorted_few()]
        self._merge()
        return self._parts

    def sorted(self) -> UInt64[np.ndarray, " hashes"]:
        """The same in one piece."""
        parts = self.parts()
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def __len__(self) -> int:
        if self._few is not None:
            return len(self._few)
        self._merge()
        return self._n

    def _sorted_few(self) -> np.ndarray:
        return np.array(sorted(self._few or ()), np.uint64)

    def _merge(self) -> None:
        if not self._fresh:
            return
        fresh = np.concatenate(self._fresh)
        self._fresh, self._n_fresh = [], 0
        fresh.sort()
        if len(self._parts) == 1 and self._n + len(fresh) > _SPLIT_FROM:
            self._parts = [part.copy() for part in _split(self._parts[0])]
        pieces = _split(fresh) if len(self._parts) > 1 else [fresh]
        for number, piece in enumerate(pieces):
            joined = np.concatenate([self._parts[number], piece])
            joined.sort()
            kept = _first_of_each(joined)
            self._parts[number] = _outside_the_heap(kept) if len(self._parts) > 1 else kept
        self._n = sum(len(part) for part in self._parts)


def _outside_the_heap(values: np.ndarray) -> np.ndarray:
    """A copy in memory of its own: among others the holes that growing parts leave would take as much again."""
    copy = np.frombuffer(mmap(-1, max(1, values.nbytes)), values.dtype, len(values))
    copy[:] = values
    return copy


def _split(ordered: np.ndarray) -> list[np.ndarray]:
    """Rising hashes, by their highest bits."""
    bounds = np.arange(1, 2**_PART_BITS, dtype=np.uint64) << np.uint64(64 - _PART_BITS)
    return np.split(ordered, np.searchsorted(ordered, bounds))
