"""Hashes of samples: exact, 64 bits, of each row of an array at once. Imports numpy alone.

Two rows have the same hash where they are equal byte for byte, and otherwise with a chance of about 1 in 2^64: each
word of a row is mixed and multiplied by an odd number of its own place, and the products are added up (multiply-shift
hashing of vectors).

Source:
    Dietzfelbinger, "Universal hashing and k-wise independent random variables via integer arithmetic without primes"
    (1996), for the family; the mixing beforehand is ours and spreads low-entropy words.
"""

from typing import Any

import numpy as np
from jaxtyping import UInt64

# Words of a row that are multiplied at once: what is in use meanwhile is as large as that many words a row.
_BLOCK_WORDS = 4096
_GOLDEN = 0x9E3779B97F4A7C15


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
        flat = np.pad(flat, ((0, 0), (0, -n_bytes % 8)))
    words = flat.view(np.uint64)
    total = np.full(n_rows, n_bytes * _GOLDEN % 2**64, np.uint64)
    for start in range(0, words.shape[1], _BLOCK_WORDS):
        block = words[:, start : start + _BLOCK_WORDS]
        block = block ^ (block >> np.uint64(29))
        block *= _multipliers(start, block.shape[1])
        total += block.sum(axis=1, dtype=np.uint64)
    return mixed(total)


def mixed(numbers: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """All bits of the result hang on all bits of the number (the finalizer of SplitMix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(numbers ^ (numbers >> np.uint64(31)))


def text_hash(text: str) -> int:
    """A hash of a text, the same in every process.

    Example:
        >>> text_hash("a") == text_hash("a"), text_hash("a") == text_hash("b")
        (True, False)
    """
    content = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return int(row_hashes(content.reshape(1, -1))[0]) if len(content) else 0


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
    """A growing set of 64-bit hashes: 8 bytes each, and while it grows at most 16."""

    def __init__(self) -> None:
        self._sorted = np.zeros(0, np.uint64)
        self._fresh: list[np.ndarray] = []
        self._n_fresh = 0

    def add(self, hashes: UInt64[np.ndarray, " rows"]) -> None:
        """Put hashes in; those that are there already change nothing."""
        self._fresh.append(hashes)
        self._n_fresh += len(hashes)
        if self._n_fresh > max(4096, len(self._sorted) // 2):
            self._merge()

    def holds(self, hashes: UInt64[np.ndarray, " rows"]) -> np.ndarray:
        """Which of these are in it."""
        self._merge()
        if not len(self._sorted):
            return np.zeros(len(hashes), bool)
        at = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        return np.asarray(self._sorted[at] == hashes)

    def sorted(self) -> UInt64[np.ndarray, " hashes"]:
        """All of them, each once, in rising order."""
        self._merge()
        return self._sorted

    def __len__(self) -> int:
        self._merge()
        return len(self._sorted)

    def _merge(self) -> None:
        if self._fresh:
            self._sorted = np.unique(np.concatenate([self._sorted, *self._fresh]))
            self._fresh, self._n_fresh = [], 0
