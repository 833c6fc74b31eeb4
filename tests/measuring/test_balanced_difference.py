"""The difference of two balanced accuracies: its value, its interval's coverage, and p where there is none."""

import numpy as np
import pytest

from heldout.errors import UsageError
from heldout.measuring.balanced_difference import balanced_difference
from heldout.measuring.comparison import compare_paired


def test_the_value_is_the_mean_of_the_recalls_differences() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 3])
    gains = np.array([1, 1, 0, -1, -1, 0, 1])
    found = balanced_difference(labels, gains, n_classes=4, generator=np.random.default_rng(0))
    assert found.value == pytest.approx((1 / 4 - 1 / 2 + 1) / 3)
    assert found.n == 7
    assert -1 <= found.low < found.value < found.high <= 1


def test_with_classes_of_one_size_it_is_about_the_difference_of_the_accuracies() -> None:
    generator = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 100)
    right = generator.random((2, 400)) < [[0.85], [0.75]]
    gains = right[0].astype(int) - right[1]
    found = balanced_difference(labels, gains, n_classes=4, generator=generator)
    plain = compare_paired(*right, generator=generator).difference
    assert found.value == pytest.approx(plain.value)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.01)
    assert found.p == pytest.approx(plain.p, abs=0.01)


def test_models_that_never_disagree_have_an_interval_of_some_width_and_p_of_1() -> None:
    labels = np.repeat([0, 1], [90, 10])
    found = balanced_difference(labels, np.zeros(100, int), n_classes=2, generator=np.random.default_rng(0))
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low < -0.05
    assert found.high > 0.05


def test_groups_widen_the_interval_and_one_group_tells_nothing() -> None:
    generator = np.random.default_rng(2)
    labels = np.repeat([0, 1], [180, 20])
    groups = np.arange(200) // 10
    gains = np.repeat(generator.choice([-1, 0, 1], 20, p=[0.1, 0.5, 0.4]), 10)
    alone, together = (
        balanced_difference(labels, gains, n_classes=2, groups=each, generator=generator) for each in (None, groups)
    )
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert together.p > alone.p
    one = balanced_difference(labels, gains, n_classes=2, groups=np.zeros(200, int), generator=generator)
    assert (one.low, one.high, one.p) == (-1.0, 1.0, 1.0)


def test_no_example_is_refused() -> None:
    none = np.zeros(0, int)
    with pytest.raises(UsageError, match="no example"):
        balanced_difference(none, none, n_classes=2, generator=np.random.default_rng(0))


@pytest.mark.parametrize("gain", [0.0, 0.1])
def test_the_interval_covers(gain: float) -> None:
    """400 test sets of 186 and 14 examples: 95 of 100 intervals hold the truth, and p is small seldom enough."""
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1], [186, 14])
    truth = 0.5 * gain  # in the rare class alone A is better
    n_held = n_small = 0
    for _ in range(400):
        only_a = generator.random(200) < np.where(labels == 1, 0.1 + gain, 0.05)
        only_b = ~only_a & (generator.random(200) < np.where(labels == 1, 0.1 / (0.9 - gain), 0.05 / 0.95))
        found = balanced_difference(labels, only_a.astype(int) - only_b, n_classes=2, generator=generator)
        n_held += found.low <= truth <= found.high
        n_small += found.p < 0.05
    assert n_held >= 370  # 380 less two standard deviations of 4.4; it covers more than it says
    if gain == 0:
        assert n_small <= 29  # 20 and two standard deviations
