"""Signatures -> pairs of pictures worth comparing, by hashes, without comparing all with all.

1. Every picture stands in eight tables, each sorted by the 64-bit hash turned round by another eight bits. A view of a
   picture (cut, flipped) meets those that agree with it in the first 16 bits, or more among more pictures; where more
   than 256 do, the 256 that stand nearest to it.
2. Of those it meets, the eight that differ in the fewest bits are candidates, if in at most twelve.
3. Where more than 16 pictures have one hash (copies of one logo), only four of them stand in the tables. Each of the
   others is paired with these four and with its neighbour in the order of their signatures.

So the work grows with the number of pictures and not with its square, also where many are alike. What is given up is
some of the pairs inside a large group, not its hanging together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt8, UInt64

from heldout.data.pictures.likeness import N_VIEWS, flipped_bits, hashes

# Eight overlapping bands found 97.6 % of 5 % crops, four that do not overlap 96.4 %, comparing all with all 98.5 %
# (550 flower photos among 10,139 pictures, measured here, 2026-11-22).
_N_TABLES = 8
_TURN = 8
# The first bits that must agree. From 262,144 pictures on, each doubling takes one more, so that a picture meets two to
# four others by chance in each table, however many there are. Each bit costs about 0.15 % of the copies: of 6,050 as in
# `docs/duplicates.md` 16 bits found 99.2 %, 18 98.9 %, 20 98.3 % (measured here, 2026-11-22).
_LEAST_BAND_BITS, _MOST_BAND_BITS = 16, 24
_BITS_BELOW_N = 2
_MAX_MET = 256
_MAX_CANDIDATES = 8
# Of 64; the same picture after a change differed in at most 7 in 99 of 100 cases (measured here, 2026-11-22).
_MAX_BITS_APART = 12
_CROWD = 16
_N_SHOWN = 4
_BLOCK = 8192
# With 256 met by each, half a million candidates at a time in a table.
_BLOCK_OF_VIEWS = 2048

_Signatures = UInt8[np.ndarray, "pictures bytes"]
_Hashes = UInt64[np.ndarray, " hashes"]
_Indices = Int[np.ndarray, " indices"]
_Ends = tuple[_Indices, _Indices]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pairs to be compared: a `view` (as in `likeness.py`) of each of `one` with each of `other` as it is."""

    view: int
    one: Int[np.ndarray, " candidates"]
    other: Int[np.ndarray, " candidates"]

    def __len__(self) -> int:
        return len(self.one)

    def part(self, start: int, end: int) -> "Candidates":
        """The candidates from `start` up to `end`."""
        return Candidates(self.view, self.one[start:end], self.other[start:end])


def find_candidates(signatures: _Signatures, pictures: _Indices) -> Iterator[Candidates]:
    """Pairs worth comparing among `pictures`, in blocks; a pair can come under several views.

    Args:
        signatures: One row a picture.
        pictures: Indices of the rows to be looked at, ascending.
    """
    if not len(pictures):
        return
    plain = _hashes(signatures, pictures, 0)
    shown, crowded = _crowds(signatures, pictures, plain)
    yield crowded
    tables = [_Table.of(plain[shown], number) for number in range(_N_TABLES)]
    seen = plain[shown]
    for view in range(N_VIEWS):
        if view % 2:  # the mirror image of the view before it
            seen = seen ^ flipped_bits(view)
        elif view:
            seen = _hashes(signatures, pictures[shown], view)
        waiting: list[_Ends] = []
        for start in range(0, len(seen), _BLOCK_OF_VIEWS):
            one, other = _nearest(seen[start : start + _BLOCK_OF_VIEWS], start, tables)
            # The first two views of i and j are as far apart as those of j and i.
            wanted = one < other if view < 2 else one != other
            waiting.append((pictures[shown[one[wanted]]], pictures[shown[other[wanted]]]))
            if sum(len(ones) for ones, _ in waiting) >= _BLOCK:
                yield _candidates(view, waiting)
                waiting = []
        if waiting:
            yield _candidates(view, waiting)


def _candidates(view: int, ends: list[_Ends]) -> Candidates:
    one, other = (np.concatenate(column) for column in zip(*ends, strict=True))
    return Candidates(view, one, other)


def _hashes(signatures: _Signatures, pictures: _Indices, view: int) -> _Hashes:
    return np.concatenate([hashes(signatures[pictures[i : i + _BLOCK]], view) for i in range(0, len(pictures), _BLOCK)])


def band_bits(n: int) -> int:
    """How many first bits must agree among `n` pictures for one to meet another.

    Example:
        >>> [band_bits(n) for n in (10, 100_000, 500_000, 1_000_000)]
        [16, 16, 17, 18]
    """
    return min(max(_LEAST_BAND_BITS, (n - 1).bit_length() - _BITS_BELOW_N), _MOST_BAND_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Hashes turned round by `shift` bits, sorted, and whose they are; where each run of equal first bits starts."""

    shift: int
    n_bits: int
    sorted: UInt64[np.ndarray, " hashes"]
    owners: Int[np.ndarray, " hashes"]
    starts: Int[np.ndarray, " bands"]

    @staticmethod
    def of(values: _Hashes, number: int) -> "_Table":
        turned = _turned(values, number * _TURN)
        order = np.argsort(turned, kind="stable")
        n_bits = band_bits(len(values))
        starts = np.zeros((1 << n_bits) + 1, np.int32)
        np.cumsum(np.bincount(_bands(turned, n_bits), minlength=1 << n_bits), out=starts[1:])
        return _Table(number * _TURN, n_bits, turned[order], order.astype(np.int32), starts)

    def meet(self, seen: _Hashes) -> tuple[_Indices, _Indices, _Indices]:
        """Whom each hash meets: its own number, the other's owner, and the bits they are apart."""
        turned = _turned(seen, self.shift)
        bands = _bands(turned, self.n_bits)
        low, high = self.starts[bands], self.starts[bands + 1]
        full = np.flatnonzero(high - low > _MAX_MET)
        middle = np.searchsorted(self.sorted, turned[full]) - _MAX_MET // 2
        low[full] = np.clip(middle, low[full], high[full] - _MAX_MET)
        counts = np.minimum(high - low, _MAX_MET)
        number = np.repeat(np.arange(len(seen)), counts)
        place = np.arange(len(number)) + np.repeat(low - np.cumsum(counts) + counts, counts)
        apart = np.bitwise_count(self.sorted[place] ^ turned[number])
        near = apart <= _MAX_BITS_APART
        return number[near], self.owners[place[near]].astype(np.int64), apart[near].astype(np.int64)


def _bands(turned: _Hashes, n_bits: int) -> _Indices:
    """The first bits."""
    return (turned >> np.uint64(64 - n_bits)).astype(np.int64)


def _turned(values: _Hashes, shift: int) -> _Hashes:
    """The bits turned round to the left."""
    return values << np.uint64(shift) | values >> np.uint64(64 - shift) if shift else values


def _nearest(seen: _Hashes, start: int, tables: list[_Table]) -> _Ends:
    """For each of the hashes, which are those of the pictures from `start` on: the pictures nearest to it."""
    met = [table.meet(seen) for table in tables]
    number, other, apart = (np.concatenate(column) for column in zip(*met, strict=True))
    # A picture meets itself in every table, so itself does not count.
    number, other, apart = (column[number + start != other] for column in (number, other, apart))
    order = np.lexsort((other, apart, number))
    number, other = number[order], other[order]
    is_new = np.append(True, (np.diff(number) != 0) | (np.diff(other) != 0))[: len(number)]
    number, other = number[is_new], other[is_new]
    rank = np.arange(len(number)) - np.searchsorted(number, number)
    return number[rank < _MAX_CANDIDATES] + start, other[rank < _MAX_CANDIDATES]


def _crowds(signatures: _Signatures, pictures: _Indices, plain: _Hashes) -> tuple[_Indices, Candidates]:
    """Who stands in the tables (indices into `pictures`), and the pairs of those who do not."""
    order = np.argsort(plain, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(plain[order]) != 0))
    ends = np.append(starts[1:], len(order))
    is_shown = np.ones(len(pictures), bool)
    one, other = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start, end in zip(starts[ends - starts > _CROWD], ends[ends - starts > _CROWD], strict=True):
        crowd = _by_content(signatures, pictures, order[start:end])
        centres = crowd[np.linspace(0, len(crowd) - 1, _N_SHOWN).astype(int)]
        is_shown[crowd] = False
        is_shown[centres] = True
        one += [crowd[:-1], *(np.full(len(crowd), centre) for centre in centres)]
        other += [crowd[1:], *(crowd for _ in centres)]
    ones, others = np.concatenate(one), np.concatenate(other)
    apart = ones != others
    return np.flatnonzero(is_shown), Candidates(0, pictures[ones[apart]], pictures[others[apart]])


def _by_content(signatures: _Signatures, pictures: _Indices, crowd: _Indices) -> _Indices:
    rows = np.ascontiguousarray(signatures[pictures[crowd]])
    return crowd[np.argsort(rows.view(f"V{rows.shape[1]}")[:, 0], kind="stable")]
