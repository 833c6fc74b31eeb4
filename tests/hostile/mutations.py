"""Bytes of a good file, changed at random: bits turned over, pieces cut out, put in, repeated or made extreme."""

import random
from collections.abc import Iterator

_EXTREMES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
)


def mutations(data: bytes, *, n: int, seed: int) -> Iterator[bytes]:
    """So many changed copies, the same for the same seed. Most have few changes, for those come far in a parser."""
    rng = random.Random(seed)
    for _ in range(n):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            _change(changed, rng)
        yield bytes(changed)


def _change(data: bytearray, rng: random.Random) -> None:
    # Half of all places lie near an end, where headers and indices are.
    place = rng.randrange(len(data) + 1)
    if rng.random() < 0.5:
        near = min(len(data), rng.randrange(200))
        place = near if rng.random() < 0.6 else len(data) - near
    length = rng.choice((1, 2, 4, 16, 200))
    match rng.randrange(7):
        case 0 | 1:
            if place < len(data):
                data[place] ^= 1 << rng.randrange(8)
        case 2:
            del data[place:]
        case 3:
            data[place:place] = rng.randbytes(length)
        case 4:
            del data[place : place + length]
        case 5:
            piece = rng.choice(_EXTREMES)
            data[place : place + len(piece)] = piece
        case _:
            begin = rng.randrange(len(data) + 1)
            data[place:place] = data[begin : begin + length]
