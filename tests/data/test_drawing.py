import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heldout.data.drawing import Pool, draw, targets
from heldout.randomness import stream

# A busy machine is no fault of the code.
unhurried = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.floats(0.001, 0.999), st.integers(1, 2))
def test_targets_are_the_share_rounded_up_or_down_within_the_bounds(
    counts: list[int], share: float, reserve: int
) -> None:
    n = np.array(counts)
    target = targets(n, share, np.full(len(n), reserve))
    assert np.all(target >= 0)
    inside = (target > 1) & (target < n - reserve)
    assert np.all(np.abs(target - n * share)[inside] < 1)
    assert np.all(target[n > reserve] >= 1)
    assert np.all(target[n >= reserve] <= (n - reserve)[n >= reserve])


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([10, 10], 0.2, [2, 2]),
        ([4, 4, 4], 0.2, [1, 1, 1]),
        ([7, 7, 7], 0.2, [2, 1, 1]),  # 1.4 each, 4.2 in all: the first gets the fourth
        ([11, 12, 13, 14], 0.2, [2, 2, 3, 3]),  # 2.2 2.4 2.6 2.8, 10 in all
        ([12, 7, 17], 0.2, [3, 1, 3]),  # 2.4 1.4 3.4, 7.2 in all: equal remainders, the first gets the seventh
        ([100, 0, 1], 0.5, [50, 0, 0]),
    ],
)
def test_targets_by_hand(counts: list[int], share: float, expected: list[int]) -> None:
    assert targets(np.array(counts), share, np.ones(len(counts), np.int64)).tolist() == expected


def test_a_pool_numbers_clusters_by_first_appearance() -> None:
    pool = Pool.of(np.arange(5), np.array([0, 0, 1, 1, 0]), np.array([9, -3, 9, 4, -3]), n_classes=3)
    assert pool.clusters.tolist() == [0, 1, 0, 2, 1]
    assert pool.n_clusters_a_class.tolist() == [2, 2, 0]
    left = pool.without(np.array([True, False, True, False, False]))
    assert left.indices.tolist() == [1, 3, 4]
    assert left.clusters.tolist() == [0, 1, 0]
    assert left.n_clusters_a_class.tolist() == [1, 1, 0]


def test_an_empty_pool_has_no_clusters() -> None:
    empty = np.array([], np.int64)
    assert Pool.of(empty, empty, empty, n_classes=2).n_clusters_a_class.tolist() == [0, 0]


def test_a_cluster_that_does_not_fit_is_taken_when_it_brings_the_count_nearer() -> None:
    # Class 0 is three clusters of 10, 2 of 5 is 6 examples too few: one cluster of 10 is nearer to 6 than none.
    pool = Pool.of(np.arange(45), np.repeat([0, 1], [30, 15]), np.r_[np.arange(30) // 10, np.arange(3, 18)], 2)
    chosen = draw(pool, 0.2, reserve=np.array([1, 1]), generator=stream(0, "split"))
    assert np.bincount(pool.labels[chosen]).tolist() == [10, 3]


def test_a_class_in_large_clusters_only_gets_its_smallest() -> None:
    # 0.1 of 32 is 3 examples; the smallest cluster has 8, which takes the count further off, but none is worse.
    clusters = np.r_[np.repeat([0, 1, 2], [12, 12, 8]), np.arange(3, 23)]
    pool = Pool.of(np.arange(52), np.repeat([0, 1], [32, 20]), clusters, 2)
    chosen = draw(pool, 0.1, reserve=np.array([1, 1]), generator=stream(0, "split"))
    assert np.bincount(pool.labels[chosen]).tolist() == [8, 2]


def test_the_reserve_is_kept() -> None:
    pool = Pool.of(np.arange(8), np.repeat([0, 1], 4), np.arange(8), 2)
    chosen = draw(pool, 0.99, reserve=np.array([2, 1]), generator=stream(0, "split"))
    assert np.bincount(pool.labels[chosen]).tolist() == [2, 3]
