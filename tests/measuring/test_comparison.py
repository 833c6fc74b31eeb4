import json
import time
from functools import cache

import numpy as np
import pytest
from scipy import stats

from heldout.errors import UsageError
from heldout.measuring.comparison import Comparison, compare_paired, corrected_t, mean_over_folds


def answers(n_both: int, n_only_a: int, n_only_b: int, n_neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [n_both, n_only_a, n_only_b, n_neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def compared(a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None) -> Comparison:
    return compare_paired(a, b, groups=groups, generator=np.random.default_rng(0))


# --- two fitted models ---


def test_a_comparison_counts_the_examples_and_gives_the_published_p() -> None:
    found = compared(*answers(80, 10, 2, 8))
    assert (found.n, found.n_both, found.n_only_a, found.n_only_b, found.n_neither) == (100, 80, 10, 2, 8)
    assert found.difference.value == pytest.approx(0.08)
    assert (found.difference.p, found.p_mid) == pytest.approx((0.0386, 0.0225), abs=5e-5)
    assert 0 < found.difference.low < 0.08 < found.difference.high
    assert found.difference.method == "paired difference (Bonett, Price), 95%; p: McNemar's exact test"
    assert found.n_groups is None
    assert found.n_needed == 169


def test_the_other_way_round_is_the_same_difference_with_the_other_sign() -> None:
    a, b = answers(80, 10, 2, 8)
    forward, backward = compared(a, b), compared(b, a)
    assert backward.difference.value == -forward.difference.value
    assert backward.difference.low == pytest.approx(-forward.difference.high)
    assert (backward.difference.p, backward.n_needed) == (forward.difference.p, forward.n_needed)


def test_equal_answers_have_p_1_and_an_interval_of_some_width() -> None:
    found = compared(*answers(40, 0, 0, 10))
    assert (found.difference.value, found.difference.p, found.p_mid, found.n_needed) == (0.0, 1.0, 1.0, None)
    assert found.difference.low == -found.difference.high < -0.03
    assert 0.1 < found.detectable < 0.25


def test_one_example_tells_nothing_and_says_so() -> None:
    found = compared(np.array([True]), np.array([False]))
    assert (found.difference.value, found.difference.p, found.detectable) == (1.0, 1.0, 1.0)
    assert found.difference.low < 0


def test_groups_of_one_are_no_groups() -> None:
    a, b = answers(80, 10, 2, 8)
    alone, grouped = compared(a, b), compared(a, b, np.arange(100))
    assert grouped.difference == alone.difference
    assert (grouped.n_groups, grouped.n_needed) == (100, alone.n_needed)


def test_groups_widen_the_interval_and_the_test_and_ask_for_more_examples() -> None:
    a, b = answers(400, 50, 10, 40)
    alone, grouped = compared(a, b), compared(a, b, np.arange(500) // 5)
    assert grouped.n_groups == 100
    assert grouped.difference.value == alone.difference.value
    assert grouped.difference.low < alone.difference.low
    assert grouped.difference.p > 2 * alone.difference.p
    assert grouped.detectable > 1.5 * alone.detectable
    assert alone.n_needed is not None
    assert grouped.n_needed is not None
    assert grouped.n_needed > 3 * alone.n_needed
    assert grouped.difference.method == (
        "bootstrap over 100 groups, 2000 resamples, 95%; p: signs of whole groups flipped 9,999 times"
    )


def test_a_comparison_is_the_same_again_from_the_same_generator() -> None:
    a, b = answers(400, 50, 10, 40)
    groups = np.arange(500) // 5
    assert compared(a, b, groups) == compared(a, b, groups)


@pytest.mark.parametrize("n_each", [1, 2, 100_000, 1_000_000])
def test_a_million_examples_are_quick(n_each: int) -> None:
    generator = np.random.default_rng(0)
    a, b = generator.random((2, 1_000_000)) < 0.9
    started = time.process_time()
    found = compared(a, b, np.arange(1_000_000) // n_each)
    assert time.process_time() - started < 2  # 0.1 s on an idle machine
    assert found.difference.low <= found.difference.value <= found.difference.high


def test_a_comparison_is_plain_json() -> None:
    plain = compared(*answers(80, 10, 2, 8)).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert list(plain["difference"]) == ["value", "low", "high", "p", "n", "method"]


@pytest.mark.parametrize(
    ("a", "b", "groups", "said"),
    [
        ([True, False], [True], None, "of 2 and of 1 examples"),
        ([], [], None, "of 0 and of 0 examples"),
        ([True], [True], [0, 1], "and 2 groups"),
    ],
)
def test_answers_that_do_not_fit_are_refused(a: list[bool], b: list[bool], groups: list[int] | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        compared(np.array(a, bool), np.array(b, bool), None if groups is None else np.array(groups))


# --- folds ---


def folds_with_naive_t(t: float, n_folds: int) -> np.ndarray:
    """Differences whose uncorrected t is as given."""
    shape = np.random.default_rng(0).normal(size=n_folds)
    shape = (shape - shape.mean()) / shape.std(ddof=1)
    return np.asarray(0.02 * (shape + t / np.sqrt(n_folds)))


def test_corrected_t_gives_the_worked_values() -> None:
    differences = folds_with_naive_t(5.06, 10)
    assert stats.ttest_1samp(differences, 0).statistic == pytest.approx(5.06)
    found = corrected_t(differences, n_train=900, n_validation=100)
    error = (found.high - found.low) / 2 / stats.t.ppf(0.975, 9)
    assert found.value / error == pytest.approx(3.48, abs=0.005)
    assert found.p == pytest.approx(2 * stats.t.sf(3.482, 9), abs=2e-5)
    assert (found.n, found.method) == (10, "t-test over 10 folds, corrected (Nadeau, Bengio), 95%")


def test_folds_without_a_score_are_left_out() -> None:
    differences = folds_with_naive_t(3.0, 5)
    with_gaps = np.insert(differences, [0, 3], np.nan)
    assert corrected_t(with_gaps, n_train=80, n_validation=20) == corrected_t(differences, n_train=80, n_validation=20)


def test_equal_differences_are_never_certain() -> None:
    found = corrected_t(np.array([0.05, 0.05]), n_train=80, n_validation=20)
    assert found.low < 0 < found.value < found.high
    assert 0.1 < found.p < 1
    nothing = corrected_t(np.zeros(5), n_train=80, n_validation=20)
    assert (nothing.value, nothing.p) == (0.0, 1.0)
    assert nothing.low < 0 < nothing.high


def test_one_fold_says_nothing() -> None:
    found = corrected_t(np.array([np.nan, 0.3]), n_train=80, n_validation=20)
    assert (found.value, found.low, found.high, found.p, found.n) == (0.3, -1.0, 1.0, 1.0, 1)
    assert found.method == "one fold: nothing to judge by"
    mean = mean_over_folds(np.array([0.9]), n_train=80, n_validation=20)
    assert (mean.value, mean.low, mean.high, mean.n) == (0.9, 0.0, 1.0, 1)


def test_intervals_over_folds_keep_to_what_is_possible() -> None:
    mean = mean_over_folds(np.array([0.99, 1.0, 0.97]), n_train=80, n_validation=20)
    assert mean.low < mean.value < mean.high == 1.0
    difference = corrected_t(np.array([-1.0, -0.2]), n_train=80, n_validation=20)
    assert (difference.low, difference.high) == (-1.0, 1.0)
    assert json.loads(json.dumps(mean.as_dict(), allow_nan=False))["n"] == 3


@pytest.mark.parametrize(
    ("values", "n_train", "n_validation"),
    [([], 80, 20), ([np.nan, np.nan], 80, 20), ([0.5, 71.0], 80, 20), ([0.5], 0, 20), ([0.5], 80, 0), ([np.inf], 1, 1)],
)
def test_folds_that_cannot_be_meant_are_refused(values: list[float], n_train: int, n_validation: int) -> None:
    for function in (corrected_t, mean_over_folds):
        with pytest.raises(UsageError, match="scores of folds"):
            function(np.array(values), n_train=n_train, n_validation=n_validation)


def test_a_mean_score_below_0_is_refused_and_a_difference_is_not() -> None:
    with pytest.raises(UsageError, match="scores of folds"):
        mean_over_folds(np.array([-0.1, 0.2]), n_train=80, n_validation=20)
    assert corrected_t(np.array([-0.1, 0.2]), n_train=80, n_validation=20).n == 2


def allowed(stated: float, n_data_sets: int) -> float:
    """Three standard errors of a simulated share."""
    return float(3 * np.sqrt(stated * (1 - stated) / n_data_sets))


# --- how often they err: the numbers stated were measured with 2,500 data sets or more (2026-11-22) ---


def split_again_and_again(
    n_folds: int, n_validation: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two equal settings on random splits of the same 100 examples, each fold with models of its own.

    A setting is a nearest mean of its own 15 features, as good as the other's.
    """
    labels = np.arange(100) % 2
    features = generator.normal(size=(100, 2, 15)) + 0.25 * (2 * labels - 1)[:, None, None]
    scores = np.empty((n_folds, 2))
    for fold in range(n_folds):
        order = generator.permutation(100)
        train, validation = order[n_validation:], order[:n_validation]
        means = [features[train][labels[train] == label].mean(axis=0) for label in (0, 1)]
        beyond = ((features[validation] - (means[0] + means[1]) / 2) * (means[1] - means[0])).sum(axis=2) > 0
        scores[fold] = (beyond == (labels[validation] == 1)[:, None]).mean(axis=0)
    return scores[:, 0], scores[:, 1]


@cache
def many_splits() -> list[tuple[np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(0)
    return [split_again_and_again(10, 20, generator) for _ in range(250)]


def test_corrected_t_is_wrong_about_as_often_as_it_says() -> None:
    wrong = [corrected_t(a - b, n_train=80, n_validation=20).p < 0.05 for a, b in many_splits()]
    wrong_uncorrected = [stats.ttest_1samp(a - b, 0).pvalue < 0.05 for a, b in many_splits()]
    assert np.mean(wrong) == pytest.approx(0.038, abs=allowed(0.038, 250))
    assert np.mean(wrong_uncorrected) == pytest.approx(0.236, abs=allowed(0.236, 250))


def test_the_mean_over_folds_covers() -> None:
    truth = 0.811  # the mean over 5,000 data sets
    means = [mean_over_folds(a, n_train=80, n_validation=20) for a, _ in many_splits()]
    held = np.mean([mean.low <= truth <= mean.high for mean in means])
    assert held == pytest.approx(0.951, abs=allowed(0.951, 250))


@pytest.mark.parametrize(("n_folds", "stated"), [(2, 0.0001), (3, 0.022), (5, 0.0064)])
def test_few_folds_of_few_examples_are_never_certain(n_folds: int, stated: float) -> None:
    generator, n_sets = np.random.default_rng(0), 2000
    differences = np.diff(generator.binomial(20, 0.95, (n_sets, n_folds, 2)) / 20, axis=2)[:, :, 0]
    wrong = sum(corrected_t(each, n_train=80, n_validation=20).p < 0.05 for each in differences)
    assert wrong / n_sets == pytest.approx(stated, abs=allowed(stated, n_sets))
    assert stated < 0.05
