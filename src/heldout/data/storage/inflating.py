"""A gzip file read anywhere, in place: while it is inflated once, the state of the inflater is kept now and then.

A later read starts from the nearest state before it, or goes on from where a read ended a moment ago. So nothing is
written to a disk, memory is bounded by the number of states, and the bytes are counted as they appear.
"""

import threading
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import final

from heldout.data.storage.member_names import FREE_BYTES, MAX_RATIO, MAX_TOTAL_BYTES, damaged, too_much
from heldout.data.storage.random_access import RandomAccess

_GZIP = 16 + zlib.MAX_WBITS
_MAX_STATES = 2048  # of some 50 kB each; then every other is dropped and they are kept half as often
_FIRST_SPACING = 2**20  # bytes between two states at first: half of that is inflated for nothing by a read
_PIECE = 2**14  # compressed bytes inflated at once, so that a bomb makes 17 MB of them and not more
_MAX_WARM = 16  # walkers kept where a read ended, for the reads that follow it


@dataclass(slots=True)
class _Walker:
    """An inflater on its way.

    Attributes:
        inflater: Its state.
        at: The next compressed byte that it is fed.
        position: How many bytes have come out so far.
        recent: The last of them.
        block: Compressed bytes that were read and not all fed.
        block_at: Where they begin.
    """

    inflater: "zlib._Decompress"
    at: int = 0
    position: int = 0
    recent: bytes = b""
    block: bytes = b""
    block_at: int = 0

    @property
    def begin(self) -> int:
        """The first byte that it can still give."""
        return self.position - len(self.recent)


@final
class InflatedFile:
    """The content of a gzip file, of one or more members, by position.

    `size` is 0 until `finish` has been called, which inflates what no read has reached and checks the end.

    Args:
        file: The compressed file.
        archive: Its name, for errors.
    """

    block = 512  # what has been inflated lies in memory anyway: read just what is asked

    def __init__(self, file: RandomAccess, archive: str) -> None:
        self.size = 0
        self._file = file
        self._archive = archive
        self._lock = threading.Lock()
        self._warm = [_Walker(zlib.decompressobj(_GZIP))]
        self._states: list[_Walker] = []
        self._positions: list[int] = []
        self._spacing = _FIRST_SPACING

    def read_at(self, start: int, n_bytes: int) -> bytes:
        """The bytes from `start`.

        Raises:
            DataError: The file is damaged, cut short, or beyond a limit.
        """
        walker = self._nearest(start)
        parts = [walker.recent[start - walker.begin :]] if walker.begin <= start < walker.position else []
        while walker.position < start + n_bytes and self._step(walker):
            parts.append(walker.recent[max(0, start - walker.begin) :])
        if len(walker.recent) <= _FIRST_SPACING:  # a piece of almost nothing can make megabytes
            with self._lock:
                self._warm.append(walker)
                del self._warm[:-_MAX_WARM]
        return b"".join(parts)[:n_bytes]

    def finish(self) -> None:
        """Inflate to the end, where the checksum stands.

        Raises:
            DataError: As `read_at`.
        """
        walker = self._nearest(MAX_TOTAL_BYTES)
        while self._step(walker):
            pass
        self.size = walker.position

    def _nearest(self, start: int) -> _Walker:
        """A walker at or before a position, which nobody else has."""
        with self._lock:
            near = [walker for walker in self._warm if walker.begin <= start]
            best = max(near, key=lambda walker: walker.position, default=None)
            kept = bisect_right(self._positions, start) - 1
            if best is not None and (kept < 0 or self._positions[kept] <= best.position):
                # By identity: two that are equal in everything but their inflater are not the same.
                self._warm = [walker for walker in self._warm if walker is not best]
                return best
            if kept < 0:
                return _Walker(zlib.decompressobj(_GZIP))
            state = self._states[kept]
            return _Walker(state.inflater.copy(), state.at, state.position)

    def _step(self, walker: _Walker) -> bool:
        """Feed one piece; whether there was one."""
        piece = self._piece(walker)
        if not piece:
            if walker.position and walker.inflater.eof:
                return False
            raise damaged(self._archive, "its compressed bytes end too early: it is cut short")
        if walker.inflater.eof:
            if not piece.strip(b"\0"):
                walker.at += len(piece)  # padding, which tar writes up to a full block of a tape
                walker.recent = b""
                return True
            walker.inflater = zlib.decompressobj(_GZIP)
        try:
            walker.recent = walker.inflater.decompress(piece)
        except zlib.error as error:
            raise damaged(self._archive, f"it is damaged or no gzip file ({error})") from error
        walker.at += len(piece) - len(walker.inflater.unused_data)
        walker.position += len(walker.recent)
        self._check(walker)
        self._keep(walker)
        return True

    def _piece(self, walker: _Walker) -> bytes:
        begin = walker.at - walker.block_at
        if not 0 <= begin < len(walker.block):
            walker.block, walker.block_at, begin = self._file.read_at(walker.at, self._file.block), walker.at, 0
        return walker.block[begin : begin + _PIECE]

    def _check(self, walker: _Walker) -> None:
        if walker.position > MAX_TOTAL_BYTES:
            what = f"inflates to more than {MAX_TOTAL_BYTES:,} bytes"
            raise too_much(self._archive, what, f"at most {MAX_TOTAL_BYTES:,}")
        if walker.position > MAX_RATIO * walker.at + FREE_BYTES:
            what = f"inflates to {walker.position:,} bytes from {walker.at:,}"
            raise too_much(self._archive, what, f"at most {MAX_RATIO} bytes from each")

    def _keep(self, walker: _Walker) -> None:
        """Keep the state, if none is kept near here and another one may start from it."""
        with self._lock:
            furthest = self._positions[-1] if self._positions else 0
            if walker.position < furthest + self._spacing or walker.inflater.eof:
                return
            self._states.append(_Walker(walker.inflater.copy(), walker.at, walker.position))
            self._positions.append(walker.position)
            if len(self._states) > _MAX_STATES:
                del self._states[::2], self._positions[::2]
                self._spacing *= 2
