import time
import tracemalloc
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from heldout.errors import UsageError
from heldout.measuring.intervals import (
    Interval,
    bootstrap_from_confusion,
    clopper_pearson,
    loss_interval,
    mean_interval,
    statistic_of,
    wilson,
)
from heldout.measuring.scores import mean_f1, mean_recall


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


@pytest.mark.parametrize(
    ("n_successes", "n", "low", "high"),
    [(95, 100, 0.8882, 0.9785), (100, 100, 0.9630, 1), (0, 20, 0, 0.1611), (948, 1000, 0.9324, 0.9601)],
)
def test_wilson_gives_the_published_values(n_successes: int, n: int, low: float, high: float) -> None:
    assert ends(wilson(n_successes, n)) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("n_successes", "n", "low", "high"), [(95, 100, 0.8872, 0.9836), (100, 100, 0.9638, 1)])
def test_clopper_pearson_gives_the_published_values(n_successes: int, n: int, low: float, high: float) -> None:
    assert ends(clopper_pearson(n_successes, n)) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("n", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_intervals_of_shares_are_those_of_statsmodels(n: int, confidence: float) -> None:
    for n_successes in {0, 1, n // 2, n - 1, n}:
        theirs = proportion_confint(n_successes, n, alpha=1 - confidence, method="wilson")
        assert ends(wilson(n_successes, n, confidence)) == pytest.approx(theirs, abs=1e-12)
        theirs = proportion_confint(n_successes, n, alpha=1 - confidence, method="beta")
        assert ends(clopper_pearson(n_successes, n, confidence)) == pytest.approx(theirs, abs=1e-9)


def test_the_ends_are_exact_where_all_or_none_succeed() -> None:
    for n in range(1, 500):
        assert wilson(0, n).low == clopper_pearson(0, n).low == 0.0
        assert wilson(n, n).high == clopper_pearson(n, n).high == 1.0


def test_a_share_of_nothing_may_be_anything() -> None:
    assert ends(wilson(0, 0)) == ends(clopper_pearson(0, 0)) == (0.0, 1.0)


@pytest.mark.parametrize(("n_successes", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(n_successes: int, n: int) -> None:
    with pytest.raises(UsageError, match=f"{n_successes} successes of {n}"):
        wilson(n_successes, n)
    with pytest.raises(UsageError, match=f"{n_successes} successes of {n}"):
        clopper_pearson(n_successes, n)


def test_the_ends_of_a_mean_interval_solve_halls_equation() -> None:
    values = np.random.default_rng(0).exponential(size=40)
    n, skewness = len(values), float(stats.skew(values))
    interval = mean_interval(values)
    for true_mean, normal in ((interval.low, 1.959964), (interval.high, -1.959964)):
        t = (values.mean() - true_mean) / stats.sem(values)
        transformed = t + skewness * t**2 / (3 * n**0.5) + skewness**2 * t**3 / (27 * n) + skewness / (6 * n**0.5)
        assert transformed == pytest.approx(normal, abs=1e-5)


def test_without_skewness_a_mean_interval_is_the_normal_one() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    half = NormalDist().inv_cdf(0.975) * float(stats.sem(values))
    assert ends(mean_interval(values)) == pytest.approx((3 - half, 3 + half))


def test_fewer_than_two_values_bound_no_mean() -> None:
    assert ends(mean_interval(np.array([1.0]))) == ends(mean_interval(np.array([]))) == (-np.inf, np.inf)


def test_equal_values_give_a_point() -> None:
    assert ends(mean_interval(np.array([2.0, 2.0, 2.0]))) == (2.0, 2.0)


def test_with_no_error_seen_the_mean_loss_reaches_up_to_wilsons_error_rate() -> None:
    interval = loss_interval(np.zeros(100), np.zeros(100, dtype=bool), loss_if_wrong=3.0)
    assert interval.low == 0.0
    assert interval.high == pytest.approx(3.0 * (1 - 0.9630), abs=2e-4)


def test_dear_errors_seen_count_more_than_what_the_model_expects() -> None:
    losses, wrong = np.zeros(20), np.zeros(20, dtype=bool)
    losses[0], wrong[0] = 9.0, True
    interval = loss_interval(losses, wrong, loss_if_wrong=1.0)
    assert interval.high >= 9.0 * wilson(1, 20).high


def test_a_mean_loss_stays_within_its_bounds() -> None:
    interval = loss_interval(np.array([0.0, 2.0, 2.0]), np.array([False, True, True]), loss_if_wrong=2.0, highest=2.0)
    assert ends(interval) == (0.0, 2.0)
    every_one_wrong = loss_interval(np.array([1.9, 1.8]), np.array([True, True]), loss_if_wrong=1.0, highest=2.0)
    assert 0.0 <= every_one_wrong.low <= 1.85 <= every_one_wrong.high <= 2.0


def test_with_many_examples_the_bootstrap_is_scipys() -> None:
    confusion = np.array([[270, 20, 10], [30, 220, 50], [0, 60, 140]])
    samples = [np.repeat(np.arange(3) == row, counts) for row, counts in enumerate(confusion)]
    theirs = stats.bootstrap(
        [sample.astype(float) for sample in samples],
        lambda *rows, axis: np.mean([row.mean(axis=axis) for row in rows], axis=0),
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = bootstrap_from_confusion(confusion, mean_recall, generator=np.random.default_rng(1), n_resamples=4000)
    width = theirs.high - theirs.low
    assert ends(ours) == pytest.approx((theirs.low, theirs.high), abs=0.06 * width)


def test_with_many_examples_the_bootstrap_of_macro_f1_is_a_bootstrap_of_examples() -> None:
    confusion = np.array([[270, 20, 10], [30, 220, 50], [0, 60, 140]])
    generator = np.random.default_rng(0)
    values = []
    for _ in range(4000):
        table = np.stack([generator.multinomial(row.sum(), row / row.sum()) for row in confusion])
        values.append(statistic_of(table, mean_f1))
    theirs = np.quantile(values, [0.025, 0.975])
    ours = bootstrap_from_confusion(confusion, mean_f1, generator=generator, n_resamples=4000)
    assert ends(ours) == pytest.approx(tuple(theirs), abs=0.06 * (theirs[1] - theirs[0]))


def test_a_perfect_table_does_not_collapse_to_a_point() -> None:
    generator = np.random.default_rng(0)
    for statistic in (mean_recall, mean_f1):
        interval = bootstrap_from_confusion(np.diag([30] * 5), statistic, generator=generator)
        assert interval.high == 1.0
        # Wilson's lower end for 150 of 150 is .975; this must be no bolder, and not useless
        assert 0.94 < interval.low <= wilson(150, 150).low


def test_a_table_that_is_all_wrong_does_not_collapse_either() -> None:
    interval = bootstrap_from_confusion(np.array([[0, 20], [20, 0]]), mean_recall, generator=np.random.default_rng(0))
    assert interval.low == 0.0
    assert wilson(0, 40).high <= interval.high < 0.2


def test_classes_of_one_example_still_vary() -> None:
    interval = bootstrap_from_confusion(np.diag([1] * 12), mean_recall, generator=np.random.default_rng(0))
    assert interval.low < 0.9


def test_classes_without_an_example_are_left_out_and_said() -> None:
    confusion = np.array([[8, 1, 1], [0, 0, 0], [2, 0, 8]])
    interval = bootstrap_from_confusion(confusion, mean_recall, generator=np.random.default_rng(0))
    assert statistic_of(confusion, mean_recall) == pytest.approx(0.8)
    assert interval.method == (
        "stratified bootstrap, 2000 resamples, 95%; 1 of 3 classes have no example and are left out"
    )


def test_the_same_generator_state_gives_the_same_bootstrap() -> None:
    confusion = np.array([[8, 2], [1, 9]])
    first, second = (bootstrap_from_confusion(confusion, mean_f1, generator=np.random.default_rng(7)) for _ in range(2))
    assert first == second


def test_102_classes_are_resampled_fast_and_in_bounded_memory() -> None:
    generator = np.random.default_rng(0)
    rows = np.full((102, 102), 0.15 / 101)
    np.fill_diagonal(rows, 0.85)
    confusion = np.stack([generator.multinomial(60, row) for row in rows])
    seconds = []
    for _ in range(3):
        start = time.process_time()
        bootstrap_from_confusion(confusion, mean_f1, generator=generator)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3
    tracemalloc.start()
    bootstrap_from_confusion(confusion, mean_f1, generator=generator)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


def test_large_tables_are_resampled_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    confusion = np.array([[80, 20], [10, 90]])
    whole = bootstrap_from_confusion(confusion, mean_f1, generator=np.random.default_rng(0))
    monkeypatch.setattr("heldout.measuring.intervals.BLOCK_NUMBERS", 6000)
    in_blocks = bootstrap_from_confusion(confusion, mean_f1, generator=np.random.default_rng(0))
    assert ends(in_blocks) == pytest.approx(ends(whole), abs=0.01)
