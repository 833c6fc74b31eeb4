"""Sorts the hashes of samples, role by role, when a log is read: with little more memory than they take themselves."""

from collections.abc import Sequence

import numpy as np

from heldout.auditing.seen.log import Log

# Hashes that are moved at once.
_BLOCK = 2**18
# Ranges of hashes that are looked at one by one; a power of two.
_N_RANGES = 64


def unfold(log: Log) -> None:
    """Turn what a watch held into the log's samples, and let go of it."""
    while log.held:
        held = log.held.pop(0)
        items = held.items[0] if len(held.items) == 1 else np.concatenate(held.items)
        held.items = []
        # The role with the most comes last: it is sorted in place, for nothing else needs the items then.
        roles = sorted(held.roles, key=lambda role: len(items) if role[0] is None else int(role[0].sum()))
        for given, samples in held.roles:
            if given is not None and len(samples.views):
                views = samples.views[given]
                samples.views = np.sort(views[views != 0])
        for number, (given, samples) in enumerate(roles):
            if number < len(roles) - 1:
                samples.items = items.copy() if given is None else items[given]
            else:
                samples.items = items if given is None else _kept(items, given)
            if given is None:
                samples.views = samples.items
            else:
                samples.items.sort()
        log.samples += [samples for _, samples in held.roles]


def _kept(items: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Some of the items, moved to the front of them."""
    n = 0
    for start in range(0, len(items), _BLOCK):
        block = items[start : start + _BLOCK][given[start : start + _BLOCK]]
        items[n : n + len(block)] = block
        n += len(block)
    return items[:n]


def together(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Hashes, each once, in rising order; the part itself, where there is one and it is so already."""
    if not parts:
        return np.zeros(0, np.uint64)
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not bool((joined[1:] > joined[:-1]).all()):
        joined = np.sort(joined) if len(parts) == 1 else joined
        joined.sort()
        is_first = np.ones(len(joined), bool)
        np.not_equal(joined[1:], joined[:-1], out=is_first[1:])
        joined = joined[is_first]
    return joined


def n_distinct(ordered: np.ndarray) -> int:
    """How many different ones there are among numbers in rising order."""
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + (len(ordered) > 0)


def n_distinct_in(parts: Sequence[np.ndarray]) -> int:
    """How many different hashes there are in several parts, each in rising order; range by range, to take little."""
    bounds = np.arange(1, _N_RANGES, dtype=np.uint64) << np.uint64(64 - _N_RANGES.bit_length() + 1)
    ranges = zip(*(np.split(part, np.searchsorted(part, bounds)) for part in parts), strict=True)
    return sum(len(together(pieces)) for pieces in ranges)


def n_shared(known: np.ndarray, asked: np.ndarray) -> int:
    """How many of the hashes that are asked for are among those known, which are in rising order."""
    n = 0
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        at = np.minimum(np.searchsorted(known, block), len(known) - 1)
        n += int(np.count_nonzero(known[at] == block))
    return n
