"""Intervals over groups: how often they hold the truth, what they are at the edges, and that sums merge."""

import numpy as np
import pytest
from scipy import stats

from heldout.measuring.grouped import (
    GroupSums,
    grouped_intervals,
    grouped_share,
    merged,
    sums_by_group,
    t_quantile,
)
from heldout.measuring.intervals import Interval, loss_interval, wilson
from heldout.measuring.predictions import Predictions
from heldout.measuring.summary import summarise

# (groups, examples in each, share right, how alike a group's examples are) -> coverage of Wilson and of ours, measured
# with 2,000 data sets (2026-11-22); the test allows three standard errors of its own number.
CASES = {
    "40 groups of 10, alike": (40, 10, 0.9, 0.3, 0.680, 0.939),
    "100 groups of 5, much alike": (100, 5, 0.9, 0.5, 0.762, 0.942),
    "15 groups of 20": (15, 20, 0.85, 0.2, 0.636, 0.942),
    "60 groups of 3, hardly alike": (60, 3, 0.9, 0.05, 0.931, 0.972),
    "40 groups of 10, nearly right": (40, 10, 0.98, 0.3, 0.703, 0.995),
}


def drawn(
    n_groups: int, n_each: int, share: float, alike: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Groups, and whether each example is right: a beta-binomial whose intra-group correlation is `alike`."""
    strength = (1 - alike) / alike
    of_group = generator.beta(share * strength, (1 - share) * strength, n_groups)
    groups = np.repeat(np.arange(n_groups), n_each)
    return groups, generator.random(len(groups)) < of_group[groups]


def sums_of(groups: np.ndarray, right: np.ndarray, losses: dict[str, np.ndarray] | None = None) -> GroupSums:
    labels = np.arange(len(groups)) % 2
    predicted = np.where(right, labels, 1 - labels)
    return sums_by_group(groups, labels, predicted=predicted, losses=losses or {}, n_classes=2)


def accuracy_interval(groups: np.ndarray, right: np.ndarray, n_resamples: int = 500) -> Interval:
    plain = {"accuracy": wilson(int(right.sum()), len(right))}
    generator = np.random.default_rng(0)
    return grouped_intervals(sums_of(groups, right), plain, generator=generator, n_resamples=n_resamples)["accuracy"]


@pytest.mark.parametrize("case", CASES)
def test_the_interval_covers_where_wilson_does_not(case: str) -> None:
    n_groups, n_each, share, alike, of_wilson, of_ours = CASES[case]
    generator = np.random.default_rng(1)
    n_sets, held, held_by_wilson = 200, 0, 0
    for _ in range(n_sets):
        groups, right = drawn(n_groups, n_each, share, alike, generator)
        interval, plain = accuracy_interval(groups, right, 300), wilson(int(right.sum()), len(right))
        held += interval.low <= share <= interval.high
        held_by_wilson += plain.low <= share <= plain.high
    for count, stated in ((held, of_ours), (held_by_wilson, of_wilson)):
        assert count / n_sets == pytest.approx(stated, abs=3 * np.sqrt(stated * (1 - stated) / n_sets))
    assert of_ours > 0.93


def test_the_interval_of_a_mean_loss_covers_in_groups_too() -> None:
    generator, n_sets, held = np.random.default_rng(2), 200, 0
    for _ in range(n_sets):
        of_group = np.repeat(generator.gamma(2.0, 0.5, 40), 8)  # of mean 1
        losses = generator.exponential(of_group)
        groups, right = np.repeat(np.arange(40), 8), losses < 2
        plain = {"negative_log_likelihood": loss_interval(losses, ~right, loss_if_wrong=2.0)}
        sums = sums_of(groups, right, {"negative_log_likelihood": losses})
        (interval,) = grouped_intervals(sums, plain, generator=generator, n_resamples=300).values()
        held += interval.low <= 1 <= interval.high
    assert held / n_sets == pytest.approx(0.938, abs=3 * np.sqrt(0.938 * 0.062 / n_sets))


def test_groups_of_one_widen_next_to_nothing() -> None:
    right = np.arange(200) % 10 > 0
    interval, plain = accuracy_interval(np.arange(200), right, 2000), wilson(180, 200)
    assert interval.low == pytest.approx(plain.low, abs=0.006)
    assert interval.high == pytest.approx(plain.high, abs=0.006)


def test_examples_that_are_all_alike_count_once_a_group() -> None:
    groups = np.repeat(np.arange(50), 20)
    interval, of_groups = accuracy_interval(groups, groups % 10 > 0, 2000), wilson(45, 50)
    assert interval.low == pytest.approx(of_groups.low, abs=0.04)
    assert interval.high - interval.low > 0.8 * (of_groups.high - of_groups.low)


def test_nothing_wrong_seen_is_as_much_as_so_many_groups_can_say() -> None:
    groups = np.repeat(np.arange(20), 10)
    interval = accuracy_interval(groups, np.ones(200, bool))
    assert (interval.low, interval.high) == pytest.approx((wilson(20, 20).low, 1.0))


def test_one_group_says_nothing_of_others_and_two_next_to_nothing() -> None:
    right = np.arange(40) % 4 > 0
    one = accuracy_interval(np.zeros(40, int), right)
    assert (one.low, one.high) == (0.0, 1.0)
    two = accuracy_interval(np.arange(40) // 20, right)
    assert two.method == "bootstrap over 2 groups, 500 resamples, 95%"
    assert two.high - two.low >= 0.25


def test_sums_of_shards_merge_to_the_sums_of_all() -> None:
    generator = np.random.default_rng(3)
    groups, labels, predicted = (generator.integers(high, size=300) for high in (40, 5, 5))
    losses = generator.random(300)

    def sums(rows: slice) -> GroupSums:
        return sums_by_group(
            groups[rows], labels[rows], predicted=predicted[rows], losses={"brier": losses[rows]}, n_classes=5
        )

    whole, together = sums(slice(None)), merged([sums(slice(0, 90)), sums(slice(90, 300))])
    for name in ("keys", "n", "cell_group", "cell_class", "hits", "labelled", "predicted"):
        assert getattr(whole, name).tolist() == getattr(together, name).tolist(), name
    assert together.losses["brier"] == pytest.approx(whole.losses["brier"])
    assert whole.right.sum() == (labels == predicted).sum()


def test_class_scores_count_grouped_examples_for_less() -> None:
    alone = grouped_share(np.ones(40, int), np.ones(40, int))
    assert (alone.low, alone.high) == pytest.approx((wilson(40, 40).low, 1.0))
    alike = grouped_share(np.array([10, 0] * 10), np.full(20, 10))
    assert alike.low < wilson(100, 200).low - 0.1
    assert "200 examples counted as 19" in alike.method
    assert (grouped_share(np.zeros(3, int), np.zeros(3, int)).low, 1.0) == (0.0, 1.0)


@pytest.mark.parametrize("n_free", [1, 2, 3, 5, 12, 60, 1000])
def test_the_t_quantile_is_scipys(n_free: int) -> None:
    assert t_quantile(n_free) == pytest.approx(stats.t.ppf(0.975, n_free), rel=0.01)
    assert t_quantile(0) == t_quantile(1)


def grouped_predictions() -> tuple[Predictions, np.ndarray]:
    generator = np.random.default_rng(4)
    labels, groups = np.arange(240) % 3, np.arange(240) // 8
    logits = generator.normal(size=(240, 3)) + generator.normal(size=(30, 3))[groups] * 1.5
    logits[np.arange(240), labels] += 2.5
    return Predictions(tuple(map(str, range(240))), labels, logits, ("a", "b", "c")), groups


def test_a_summary_with_groups_has_the_same_values_and_wider_intervals() -> None:
    predictions, groups = grouped_predictions()
    plain, grouped = (
        summarise(predictions, temperature=1.0, generator=np.random.default_rng(0), groups=each)
        for each in (None, groups)
    )
    for one, other in zip(plain.scores, grouped.scores, strict=True):
        assert (one.name, one.value, one.n) == (other.name, other.value, other.n)
        assert other.low <= one.low < other.value < one.high <= other.high
        assert other.method == "bootstrap over 30 groups, 2000 resamples, 95%"
    wide, narrow = (summary.scores[0].high - summary.scores[0].low for summary in (grouped, plain))
    assert wide > 1.1 * narrow
    for line, wider in zip(plain.per_class, grouped.per_class, strict=True):
        assert wider.recall.low <= line.recall.low
        assert "counted as" in wider.recall.method
    assert plain.ece_null[1] < grouped.ece_null[1]
    assert plain.ece == grouped.ece
    for bin, wider_bin in zip(plain.reliability, grouped.reliability, strict=True):
        assert (bin.n, bin.accuracy) == (wider_bin.n, wider_bin.accuracy)


def test_groups_of_one_each_leave_a_summary_as_it_is() -> None:
    predictions, _ = grouped_predictions()
    plain, alone = (
        summarise(predictions, temperature=1.0, generator=np.random.default_rng(0), groups=each)
        for each in (None, np.arange(240))
    )
    assert plain == alone
