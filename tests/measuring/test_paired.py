"""Counts of paired answers: test values, edges, groups, coverage, and that a million examples are quick."""

import time
import tracemalloc
from functools import cache

import numpy as np
import pytest
from scipy import stats

from heldout.measuring.paired import (
    NetCounts,
    design_effect,
    detectable_difference,
    examples_needed,
    flipped_groups,
    grouped_paired_interval,
    mcnemar,
    net_counts,
    paired_interval,
)


def nets_of(net: list[int], n: list[int], disagreed: list[int] | None = None) -> NetCounts:
    seen = np.abs(net) if disagreed is None else np.array(disagreed)
    return NetCounts(np.array(net), seen, np.array(n))


def test_mcnemar_gives_the_published_values() -> None:
    assert mcnemar(10, 2) == pytest.approx((0.0386, 0.0225), abs=5e-5)
    assert mcnemar(2, 10) == mcnemar(10, 2)


@pytest.mark.parametrize(("n_only_a", "n_only_b"), [(0, 0), (1, 1), (500_000, 500_000)])
def test_as_many_on_either_side_tell_nothing(n_only_a: int, n_only_b: int) -> None:
    assert mcnemar(n_only_a, n_only_b) == (1.0, 1.0)


def test_p_lies_between_0_and_1_however_far_the_counts_are_apart() -> None:
    for n_only_a, n_only_b in [(1, 0), (0, 1), (3, 2), (100_000, 0), (501_000, 499_000)]:
        exact, mid = mcnemar(n_only_a, n_only_b)
        assert 0 <= mid <= exact <= 1


@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_the_interval_holds_the_difference_and_has_a_width(n: int) -> None:
    for n_only_a in range(n + 1):
        for n_only_b in range(n + 1 - n_only_a):
            interval = paired_interval(n_only_a, n_only_b, n)
            assert -1 <= interval.low <= (n_only_a - n_only_b) / n <= interval.high <= 1
            assert interval.high - interval.low > 0.05


def test_the_interval_turns_round_with_the_models() -> None:
    forward, backward = paired_interval(10, 2, 100), paired_interval(2, 10, 100)
    assert (forward.low, forward.high) == pytest.approx((-backward.high, -backward.low))


@pytest.mark.parametrize(("n", "disagreed"), [(100, 0.12), (1000, 0.06), (20_000, 0.3)])
def test_as_many_examples_as_needed_make_the_difference_detectable(n: int, disagreed: float) -> None:
    difference = detectable_difference(n, disagreed)
    assert 0 < difference < disagreed
    assert examples_needed(difference, disagreed) == pytest.approx(n)


def test_no_difference_is_detectable_with_five_examples() -> None:
    assert [detectable_difference(n, 0.0) for n in (1, 5)] == [1.0, 1.0]
    assert detectable_difference(8, 0.0) < 1


def test_where_nothing_is_disagreed_on_the_difference_itself_has_to_be() -> None:
    assert 0.008 < detectable_difference(1000, 0.0) < 0.012


def test_examples_are_counted_by_group() -> None:
    a = np.array([True, True, False, False, True])
    b = np.array([False, True, True, False, False])
    nets = net_counts(a, b, np.array([9, 9, 4, 4, 9]))
    assert (nets.net.tolist(), nets.disagreed.tolist(), nets.n.tolist()) == ([-1, 2], [1, 2], [2, 3])


def test_groups_that_are_all_alike_count_once_each() -> None:
    net = [5] * 10 + [-5] * 2 + [0] * 28
    generator = np.random.default_rng(0)
    interval, of_groups = grouped_paired_interval(nets_of(net, [5] * 40), generator), paired_interval(10, 2, 40)
    assert interval.method == "bootstrap over 40 groups, 2000 resamples, 95%"
    assert interval.high - interval.low == pytest.approx(of_groups.high - of_groups.low, rel=0.1)
    assert design_effect(nets_of(net, [5] * 40)) == pytest.approx(5, rel=0.05)
    assert flipped_groups(nets_of(net, [5] * 40), generator) == pytest.approx(mcnemar(10, 2), abs=0.006)


def test_no_disagreement_in_groups_is_as_much_as_so_many_groups_can_say() -> None:
    nets = nets_of([0] * 20, [10] * 20)
    interval, of_groups = grouped_paired_interval(nets, np.random.default_rng(0)), paired_interval(0, 0, 20)
    assert (interval.low, interval.high) == pytest.approx((of_groups.low, of_groups.high))
    assert flipped_groups(nets, np.random.default_rng(0)) == (1.0, 1.0)


def test_one_group_tells_nothing_and_five_never_show_anything() -> None:
    interval = grouped_paired_interval(nets_of([30], [40]), np.random.default_rng(0))
    assert (interval.low, interval.high) == (-1.0, 1.0)
    assert flipped_groups(nets_of([30], [40]), np.random.default_rng(0))[0] == 1.0
    assert flipped_groups(nets_of([30] * 5, [40] * 5), np.random.default_rng(0))[0] > 0.05


@pytest.mark.parametrize("sizes", [[2] * 500_000, list(range(1, 1413))], ids=["pairs", "all sizes"])
def test_a_million_examples_in_groups_are_quick(sizes: list[int]) -> None:
    generator, n = np.random.default_rng(0), np.array(sizes)
    only_a, only_b = generator.binomial(n, 0.05), generator.binomial(n, 0.05)
    nets = NetCounts(only_a - only_b, only_a + only_b, n)
    tracemalloc.start()
    started = time.process_time()
    interval, p = grouped_paired_interval(nets, generator), flipped_groups(nets, generator)
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert interval.low < 0 < interval.high
    assert 0.0001 <= p[1] <= p[0] <= 1
    assert seconds < 2  # 0.2 s on an idle machine
    assert peak < 150e6


# --- how often they err: independent examples, exactly, by summing the trinomial distribution ---


def outcomes(n: int, disagreed: float, difference: float) -> list[tuple[int, int, float]]:
    """Examples that only A and that only B answers right, with the probability of both counts."""
    only_a = (disagreed + difference) / 2
    fewest, most = stats.binom.ppf([1e-9, 1 - 1e-9], n, disagreed).astype(int).tolist()
    in_all = np.arange(fewest, most + 1)
    found = []
    for m, of_m in zip(in_all.tolist(), stats.binom.pmf(in_all, n, disagreed).tolist(), strict=True):
        of_a = stats.binom.pmf(np.arange(m + 1), m, only_a / disagreed).tolist()
        found += [(a, m - a, of_m * each) for a, each in enumerate(of_a)]
    return found


# examples, share disagreed on, difference as a share of that
INTERVAL_CASES = [
    (n, disagreed, share) for n in (20, 50, 150) for disagreed in (0.02, 0.1, 0.3) for share in (0.0, 0.5, 0.9)
]


def test_the_interval_of_a_difference_covers() -> None:
    covered = []
    for n, disagreed, share in INTERVAL_CASES:
        truth, held = share * disagreed, 0.0
        for n_only_a, n_only_b, probability in outcomes(n, disagreed, truth):
            interval = paired_interval(n_only_a, n_only_b, n)
            held += probability * (interval.low <= truth <= interval.high)
        covered.append(held)
    assert min(covered) > 0.945
    assert np.mean(covered) < 0.98


@pytest.mark.parametrize(("n", "disagreed"), [(20, 0.3), (50, 0.1), (150, 0.04), (150, 0.3), (1000, 0.05)])
def test_mcnemars_p_errs_as_seldom_as_it_says(n: int, disagreed: float) -> None:
    p_of = cache(mcnemar)
    cases = outcomes(n, disagreed, 0.0)
    exact, mid = (sum(share for a, b, share in cases if p_of(a, b)[which] < 0.05) for which in (0, 1))
    assert exact < 0.05
    assert exact < mid < 0.053


@pytest.mark.parametrize(("n", "disagreed"), [(100, 0.3), (300, 0.1), (1000, 0.05)])
def test_a_detectable_difference_is_shown_four_times_in_five(n: int, disagreed: float) -> None:
    difference = detectable_difference(n, disagreed)
    power = sum(share for a, b, share in outcomes(n, disagreed, difference) if a > b and mcnemar(a, b)[0] < 0.05)
    assert power == pytest.approx(0.8, abs=0.03)


# --- how often they err in groups; allowed are three standard errors (measured 2026-11-22) ---

# groups, examples in each, share disagreed on, difference, how alike a group's examples are -> coverage of ours and of
# the interval for independent examples; of 1,500 data sets.
GROUP_CASES = {
    "40 groups of 10": (40, 10, 0.1, 0.0, 0.3, 0.920, 0.677),
    "100 groups of 5, much alike": (100, 5, 0.1, 0.0, 0.5, 0.941, 0.741),
    "15 groups of 20, different models": (15, 20, 0.2, 0.1, 0.2, 0.950, 0.648),
    "60 groups of 3, hardly alike": (60, 3, 0.1, 0.05, 0.05, 0.969, 0.956),
    "40 groups of 10, hardly a disagreement": (40, 10, 0.02, 0.0, 0.3, 0.987, 0.797),
    "8 groups of 30": (8, 30, 0.2, 0.0, 0.2, 0.966, 0.545),
}


def allowed(stated: float, n_data_sets: int) -> float:
    """Three standard errors of a simulated share."""
    return float(3 * np.sqrt(stated * (1 - stated) / n_data_sets))


def drawn(
    n_groups: int, n_each: int, disagreed: float, difference: float, alike: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups and two models' answers; in each group other shares are right by one alone, by Dirichlet."""
    shares = np.array([(disagreed + difference) / 2, (disagreed - difference) / 2, 1 - disagreed])
    of_group = generator.dirichlet((1 - alike) / alike * shares, n_groups)
    groups = np.repeat(np.arange(n_groups), n_each)
    place, ends = generator.random(len(groups)), np.cumsum(of_group, axis=1)[groups]
    return groups, ~((place >= ends[:, 0]) & (place < ends[:, 1])), place >= ends[:, 0]


@pytest.mark.parametrize("case", GROUP_CASES)
def test_intervals_and_p_hold_in_groups(case: str) -> None:
    n_groups, n_each, disagreed, difference, alike, of_ours, of_plain = GROUP_CASES[case]
    generator, n_sets = np.random.default_rng(1), 150
    held, held_by_plain, told = 0, 0, 0
    for _ in range(n_sets):
        groups, a, b = drawn(n_groups, n_each, disagreed, difference, alike, generator)
        nets = net_counts(a, b, groups)
        interval = grouped_paired_interval(nets, generator)
        plain = paired_interval(int((a & ~b).sum()), int((b & ~a).sum()), len(a))
        held += interval.low <= difference <= interval.high
        held_by_plain += plain.low <= difference <= plain.high
        told += flipped_groups(nets, generator)[0] < 0.05
    for count, stated in ((held, of_ours), (held_by_plain, of_plain)):
        assert count / n_sets == pytest.approx(stated, abs=allowed(stated, n_sets))
    assert of_ours >= 0.92
    if difference == 0:
        assert told / n_sets <= 0.05 + allowed(0.05, n_sets)
