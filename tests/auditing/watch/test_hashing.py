"""Hashes of samples, and sets of them that grow."""

import subprocess
import sys

import numpy as np
import pytest

from heldout.auditing.watch.hashing import HashSet, distinct, held_by, mixed, row_hashes


def hashes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


# Few enough for a plain set, more than that, more than are searched unsorted, and enough to lie in parts.
@pytest.mark.parametrize("n", [0, 1, 16_384, 16_400, 21_000, 200_000])
@pytest.mark.parametrize("at_once", [70, 1_500])
def test_a_set_holds_what_was_put_in_and_nothing_else(n: int, at_once: int) -> None:
    inside, outside, held = hashes(n), hashes(500, seed=1), HashSet()
    for start in range(0, n, at_once if n < 100_000 else 50_000):
        held.add(inside[start : start + (at_once if n < 100_000 else 50_000)])
        held.add(inside[: min(3, n)])  # again
    assert held.holds(inside).all()
    assert not held.holds(outside).any()
    assert len(held) == n
    np.testing.assert_array_equal(held.sorted(), np.sort(inside))
    assert held.holds(inside).all()  # sorted in by now


def test_asking_for_nothing() -> None:
    held = HashSet()
    held.add(hashes(3))
    assert held.holds(hashes(0)).shape == (0,)


def test_distinct_values_are_numpys() -> None:
    values = np.random.default_rng(0).integers(0, 9, 50)
    np.testing.assert_array_equal(distinct(values), np.unique(values))
    assert distinct(values[:0]).shape == (0,)


def test_held_by_is_numpys_isin() -> None:
    asked, others = hashes(40) % np.uint64(16), np.sort(hashes(9, seed=2) % np.uint64(16))
    np.testing.assert_array_equal(held_by(others, asked), np.isin(asked, others))
    assert not held_by(others[:0], asked).any()


def test_hashes_of_rows_are_the_same_however_many_are_hashed_at_once() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 11)).astype(np.float32)
    together = row_hashes(rows)
    np.testing.assert_array_equal(together, np.concatenate([row_hashes(rows[:7]), row_hashes(rows[7:])]))
    assert len(set(together.tolist())) == 40


def test_the_finalizer_is_splitmixs() -> None:
    # Computed with Python's own whole numbers.
    def finalized(number: int) -> int:
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
        return number ^ (number >> 31)

    numbers = hashes(20)
    assert mixed(numbers).tolist() == [finalized(each) for each in numbers.tolist()]


def test_masked_arrays_are_never_imported() -> None:
    code = (
        "import sys, numpy as np; from heldout.auditing.watch.hashing import HashSet, distinct\n"
        "held = HashSet(); held.add(np.arange(99_000, dtype=np.uint64)); held.holds(np.arange(3, dtype=np.uint64))\n"
        "distinct(np.arange(3)); assert 'numpy.ma' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
