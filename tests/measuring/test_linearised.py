import numpy as np
import pytest

from heldout.measuring.intervals import wilson
from heldout.measuring.linearised import Linearised, centred, cost_of_groups, interval_of


def a_share(right: np.ndarray) -> Linearised:
    """A share as the simplest score: every example moves it by itself / n."""
    return Linearised(float(right.mean()), right / len(right), len(right), (right, ~right))


def test_the_variance_of_a_share_is_the_known_one() -> None:
    right = np.arange(100) < 70
    moved = centred(right / 100, np.zeros(100, int))
    assert (moved**2).sum() == pytest.approx(0.7 * 0.3 / 99)
    interval, plain = interval_of(a_share(right), np.zeros(100, int)), wilson(70, 100)
    assert (interval.low, interval.high) == pytest.approx((plain.low, plain.high), abs=0.01)


def test_where_nothing_tells_it_is_wilsons_interval() -> None:
    interval = interval_of(a_share(np.ones(20, bool)), np.zeros(20, int))
    assert (interval.low, interval.high) == (wilson(20, 20).low, 1.0)


def test_groups_of_alike_examples_cost_their_size() -> None:
    generator = np.random.default_rng(0)
    moved, groups = np.repeat(generator.normal(size=300), 4), np.repeat(np.arange(300), 4)
    moved -= moved.mean()
    factor, effect = cost_of_groups(moved, groups, 300)
    assert effect == pytest.approx(4, rel=0.02)
    assert factor == pytest.approx(2, rel=0.02)
    assert cost_of_groups(np.zeros(1200), groups, 300)[1] == pytest.approx(1, abs=0.02)
    few = cost_of_groups(moved[:40], groups[:40], 2)
    assert few[0] > np.sqrt(few[1])
