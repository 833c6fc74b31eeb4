"""McNemar's test is that of statsmodels; flipped groups and Student's t are those of scipy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from heldout.measuring.comparison import corrected_t, mean_over_folds
from heldout.measuring.paired import NetCounts, flipped_groups, mcnemar

# Every pair of small counts, and some large ones.
COUNTS = [(a, b) for a in range(13) for b in range(13) if a + b] + [(60, 31), (400, 480), (5_000, 5_200)]


def test_mcnemar_is_that_of_statsmodels() -> None:
    for n_only_a, n_only_b in COUNTS:
        theirs = statsmodels_mcnemar([[50, n_only_a], [n_only_b, 50]], exact=True).pvalue
        assert mcnemar(n_only_a, n_only_b)[0] == pytest.approx(theirs, abs=1e-12)


def test_mid_p_takes_half_of_what_was_seen_off() -> None:
    for n_only_a, n_only_b in COUNTS:
        n, fewer = n_only_a + n_only_b, min(n_only_a, n_only_b)
        exact = stats.binomtest(fewer, n).pvalue
        expected = exact - stats.binom.pmf(fewer, n, 0.5) if n_only_a != n_only_b else 1.0
        assert mcnemar(n_only_a, n_only_b)[1] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_flipping_groups_is_scipys_permutation_test(seed: int) -> None:
    net = np.random.default_rng(seed).integers(-3, 6, 12)
    theirs = stats.permutation_test((net,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue  # all 4,096
    ours = flipped_groups(NetCounts(net, np.abs(net), np.full(12, 8)), np.random.default_rng(0))[0]
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(theirs * (1 - theirs) / 9999) + 1e-4)


@pytest.mark.parametrize("n_folds", [2, 5, 30])
def test_without_validation_examples_to_speak_of_the_t_test_is_students(n_folds: int) -> None:
    values = np.random.default_rng(n_folds).uniform(0.02, 0.2, n_folds)
    theirs = stats.ttest_1samp(values, 0)
    ours = corrected_t(values, n_train=10**12, n_validation=1000)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)
    ends = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((max(ends.low, -1), min(ends.high, 1)), rel=1e-6)
    mean = mean_over_folds(values, n_train=10**12, n_validation=1000)
    assert (mean.low, mean.high) == pytest.approx((max(ends.low, 0), min(ends.high, 1)), rel=1e-6)
