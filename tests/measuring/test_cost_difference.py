"""What one model saves against another: its value, its interval's coverage, and p where nothing is saved."""

import numpy as np
import pytest

from heldout.errors import UsageError
from heldout.measuring.balanced_difference import balanced_difference
from heldout.measuring.cost_difference import cost_difference


def test_where_every_mistake_costs_one_it_is_the_difference_of_accuracies() -> None:
    gains = np.random.default_rng(1).choice([-1, 0, 1], 300, p=[0.1, 0.7, 0.2])
    found = cost_difference(gains.astype(float), highest=1.0, generator=np.random.default_rng(0))
    one_class = np.zeros(300, int)  # then balanced accuracy is accuracy
    plain = balanced_difference(one_class, gains, n_classes=1, generator=np.random.default_rng(0))
    assert (found.value, found.low, found.high, found.p) == pytest.approx(
        (plain.value, plain.low, plain.high, plain.p), abs=1e-9
    )
    twice = cost_difference(2.0 * gains, highest=2.0, generator=np.random.default_rng(0))
    assert (twice.value, twice.low, twice.p) == pytest.approx((2 * found.value, 2 * found.low, found.p))


def test_groups_widen_the_interval_and_little_is_told_by_little() -> None:
    generator = np.random.default_rng(2)
    saved = np.repeat(generator.choice([-1.0, 0.0, 7.0], 20, p=[0.2, 0.5, 0.3]), 10)
    alone, together = (
        cost_difference(saved, highest=7.0, groups=each, generator=generator) for each in (None, np.arange(200) // 10)
    )
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert together.p > alone.p
    one = cost_difference(saved, highest=7.0, groups=np.zeros(200, int), generator=generator)
    assert (one.low, one.high, one.p) == (-7.0, 7.0, 1.0)
    equal = cost_difference(np.zeros(100), highest=7.0, generator=generator)
    assert (equal.value, equal.p) == (0.0, 1.0)
    assert equal.low < -0.05 < 0.05 < equal.high
    with pytest.raises(UsageError, match="no example"):
        cost_difference(np.zeros(0), highest=1.0, generator=generator)


@pytest.mark.parametrize("shift", [0.0, 0.06])
def test_the_interval_covers(shift: float) -> None:
    """150 test sets of 200 answers, of which some are dear mistakes: intervals hold the truth, p is seldom small."""
    generator = np.random.default_rng(3)
    truth, n_held, n_small = 8 * shift, 0, 0
    for _ in range(150):
        kind = generator.choice(4, 200, p=[0.02, 0.1, 0.1, 0.78])
        dear = np.where(generator.random(200) < 0.5, 8.0, -8.0)
        saved = np.select([kind == 0, kind == 1, kind == 2], [dear, 1.0, -1.0], 0.0)
        saved = np.where(generator.random(200) < shift, 8.0, saved)
        found = cost_difference(saved, highest=8.0, generator=generator)
        # Replacing a share of the answers takes the mean of the others, which is 0, along.
        n_held += found.low <= truth <= found.high
        n_small += found.p < 0.05
    assert n_held >= 137  # 142.5 less two standard deviations of 2.7
    if not shift:
        assert n_small <= 12  # 7.5 and two standard deviations
