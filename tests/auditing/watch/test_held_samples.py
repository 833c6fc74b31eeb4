"""Hashes of samples: kept with little memory while a script runs, and sorted when its log is read."""

from pathlib import Path

import numpy as np

from heldout.auditing.seen.data import Held, Samples
from heldout.auditing.seen.log import Log, read_log, write_log
from heldout.auditing.watch.held_samples import n_distinct, n_distinct_in, n_shared, together

EMPTY = np.zeros(0, np.uint64)


def _hashes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, n, np.uint64, endpoint=False)


def test_samples_are_sorted_role_by_role_when_a_log_is_read(tmp_path: Path) -> None:
    items, views = _hashes(1000), np.arange(1000, dtype=np.uint32)
    learned = np.arange(1000) % 3 > 0
    roles: list[tuple[np.ndarray | None, Samples]] = [
        (learned, Samples(0, 0, True, EMPTY, np.zeros(0, np.uint32), 9)),
        (~learned, Samples(0, 0, False, EMPTY, views)),
    ]
    by_hand: list[tuple[np.ndarray | None, Samples]] = [(None, Samples(0, -1, True, EMPTY, EMPTY))]
    write_log(tmp_path / "log", Log(held=[Held([items], roles), Held([np.sort(items[:9]), items[:0]], by_hand)]))
    log = read_log(tmp_path / "log")
    assert log is not None
    assert log.held == []
    first, second, third = log.samples
    assert np.array_equal(first.items, np.sort(items[learned]))
    assert np.array_equal(second.items, np.sort(items[~learned]))
    assert np.array_equal(second.views, views[~learned][1:])  # 0 stands where nobody looked
    assert np.array_equal(third.items, np.sort(items[:9]))
    assert (first.n_given, first.trained, len(first.views)) == (9, True, 0)


def test_hashes_in_rising_order_are_counted_without_being_put_together() -> None:
    some, others = np.sort(_hashes(700)), np.sort(np.concatenate([_hashes(700)[:300], _hashes(50, seed=1)]))
    assert np.array_equal(together([some, others]), np.union1d(some, others))
    assert together([some]) is some
    assert len(together([])) == n_distinct_in([]) == n_distinct(EMPTY) == 0
    assert n_distinct_in([some, others, EMPTY]) == 750
    assert n_distinct(np.sort(np.concatenate([some, some]))) == 700
    assert n_shared(some, others) == 300
