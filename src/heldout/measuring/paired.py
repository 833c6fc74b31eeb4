"""What counts of paired answers tell: p-values, an interval of the difference, and how many examples it takes.

Two models answer the same examples. Only those count that one of them alone answers right. Where examples come in
groups, whole groups are resampled or exchanged: `grouped.py` says why.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from heldout.measuring.grouped import feared_effect, n_equal_groups, t_quantile
from heldout.measuring.intervals import BLOCK_NUMBERS, N_RESAMPLES, Interval, normal_quantile

# How often the signs of groups are drawn anew; the smallest p is one in 10,000.
N_FLIPS = 9999
# The quantile of the normal distribution for a power of 80 %.
_POWER_QUANTILE = 0.8416212335729143
# Beyond so many numbers drawn in all resamples together there are fewer of them, but 400 at least: 10^6 examples in
# groups of any size take 0.3 s of CPU so (measured 2026-11-22).
_MOST_WORK, _LEAST_RESAMPLES = 4_000_000, 400


def mcnemar(n_only_a: int, n_only_b: int) -> tuple[float, float]:
    """The exact p-value and the mid-p of McNemar's test, from the examples that only one of two models answers right.

    Both are 1 where there are as many on either side, none included; 0 where they are smaller than any number.

    Assumes: independent examples.
    Breaks when: never too often with the exact p; the mid-p is below .05 in up to 5.3 % of equal pairs.
    Checked by: tests/reference/test_comparison_against_statsmodels.py, tests/measuring/test_paired.py

    Example:
        >>> exact, mid = mcnemar(10, 2)
        >>> round(exact, 4), round(mid, 4)
        (0.0386, 0.0225)
    """
    from scipy.special import bdtr

    n, fewer = n_only_a + n_only_b, min(n_only_a, n_only_b)
    if n_only_a == n_only_b:
        return 1.0, 1.0
    at_most = float(bdtr(fewer, n, 0.5))
    below = float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0
    return min(2 * at_most, 1.0), min(at_most + below, 1.0)


def paired_interval(n_only_a: int | float, n_only_b: int | float, n: int | float) -> Interval:
    """The 95 % interval of the difference of two accuracies on the same `n` examples, within -1 to 1.

    The plain formula with one example added to each side on which the two disagree: without that it has no width where
    they never do. Counts need not be whole: n examples in groups may tell as much as fewer independent ones.

    Assumes: independent examples.
    Breaks when: few examples are disagreed on: it then covers more than it says, 96 to 100 % with five expected.
    Checked by: tests/measuring/test_paired.py::test_the_interval_of_a_difference_covers

    Source:
        Bonett, Price, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired
        Data", J. Educ. Behav. Stat. 37 (2012) 479.

    Example:
        >>> interval = paired_interval(10, 2, 100)
        >>> round(interval.low, 4), round(interval.high, 4)
        (0.0082, 0.1487)
    """
    share_a, share_b = (n_only_a + 1) / (n + 2), (n_only_b + 1) / (n + 2)
    middle = share_a - share_b
    half = normal_quantile(0.95) * float(np.sqrt((share_a + share_b - middle**2) / (n + 2)))
    return Interval(max(middle - half, -1.0), min(middle + half, 1.0), "paired difference (Bonett, Price), 95%")


def detectable_difference(n: int | float, disagreed: float) -> float:
    """The smallest true difference that McNemar's exact test shows with `n` examples 80 times in 100; 1 if none does.

    Args:
        n: Independent examples, or as many as tell the same.
        disagreed: On which share of them one model alone is right. Two that differ by d disagree on d at least, so
            beyond this share the difference itself is taken for it.

    Assumes: the share that is disagreed on stays as it was seen.
    Breaks when: hardly an example is disagreed on: the share is then a guess, and so is this.
    Checked by: tests/measuring/test_paired.py::test_a_detectable_difference_is_shown_four_times_in_five

    Example:
        >>> round(detectable_difference(1000, 0.06), 4), detectable_difference(5, 0.2)
        (0.0227, 1.0)
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        enough = _margin(n, middle, max(disagreed, middle)) >= 0
        low, high = (low, middle) if enough else (middle, high)
    return high


def examples_needed(difference: float, disagreed: float) -> float:
    """How many independent examples show a true difference, 80 times in 100; the inverse of `detectable_difference`.

    Args:
        difference: Above 0.
        disagreed: As for `detectable_difference`; at least `difference`.

    Assumes: that the difference seen is the true one, which no test can know.
    Breaks when: it was seen because it is large, among many looked at: then more are needed.
    Checked by: tests/measuring/test_paired.py::test_as_many_examples_as_needed_make_the_difference_detectable

    Example:
        >>> round(examples_needed(0.08, 0.12))
        169
    """
    each = normal_quantile(0.95) * np.sqrt(disagreed) + _POWER_QUANTILE * np.sqrt(max(disagreed - difference**2, 0.0))
    return float((each + np.sqrt(each**2 + 4 * difference)) / (2 * difference)) ** 2


# --- groups ---


@dataclass(frozen=True, slots=True, eq=False)
class NetCounts:
    """What two models did in each group.

    Attributes:
        net: Examples that A alone answers right, less those that B alone does.
        disagreed: Both of these together.
        n: Examples of each group.
    """

    net: Int[np.ndarray, " groups"]
    disagreed: Int[np.ndarray, " groups"]
    n: Int[np.ndarray, " groups"]


def net_counts(
    correct_a: Bool[np.ndarray, " examples"],
    correct_b: Bool[np.ndarray, " examples"],
    groups: Int[np.ndarray, " examples"],
) -> NetCounts:
    """The counts of each group, by ascending number."""
    position = np.unique(groups, return_inverse=True)[1]
    n = np.bincount(position)
    only_a = np.bincount(position[correct_a & ~correct_b], minlength=len(n))
    only_b = np.bincount(position[correct_b & ~correct_a], minlength=len(n))
    return NetCounts(only_a - only_b, only_a + only_b, n)


def grouped_paired_interval(nets: NetCounts, generator: np.random.Generator) -> Interval:
    """The 95 % interval of the difference from resampled groups, made as `grouped.grouped_intervals` makes its own.

    Groups with the same net count and size are drawn together, by one multinomial, so time and memory go with the kinds
    of groups: 13,000 at most for 10^6 examples. With one group alone the interval is -1 to 1.

    Assumes: groups drawn independently.
    Breaks when: there are fewer than about ten groups: it is then very wide. It covers 92 to 99 % in ten kinds
        of simulated groups, where `paired_interval` covers 55 to 96 % (measured 2026-11-22, 1,500 data sets each).
    Checked by: tests/measuring/test_paired.py::test_intervals_and_p_hold_in_groups
    """
    n_groups, total = len(nets.n), int(nets.n.sum())
    if n_groups == 1:
        return Interval(-1.0, 1.0, "one group: nothing to judge by")
    value = float(nets.net.sum()) / total
    width = 2 * int(nets.n.max()) + 1
    kinds, counts = np.unique(nets.n * width + nets.net + width // 2, return_counts=True)
    n, net = kinds // width, kinds % width - width // 2
    n_resamples = int(np.clip(_MOST_WORK // len(kinds), _LEAST_RESAMPLES, N_RESAMPLES))
    block = max(1, BLOCK_NUMBERS // len(kinds))
    drawn = []
    for start in range(0, n_resamples, block):
        weights = generator.multinomial(n_groups - 1, counts / n_groups, size=min(block, n_resamples - start))
        drawn.append((weights @ net) / (weights @ n))
    stretch = t_quantile(n_equal_groups(nets.n) - 1) / normal_quantile(0.95)
    ends = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    low, high = (value + stretch * (float(end) - value) for end in ends)
    # Never narrower than for independent examples, nor than what the groups may cost while too few of them tell.
    effect, disagreed, net_sum = _feared_effect(nets), int(nets.disagreed.sum()), int(nets.net.sum())
    guard = paired_interval((disagreed + net_sum) / 2 / effect, (disagreed - net_sum) / 2 / effect, total / effect)
    method = f"bootstrap over {n_groups:,} groups, {n_resamples} resamples, 95%"
    return Interval(max(min(low, guard.low, value), -1.0), min(max(high, guard.high, value), 1.0), method)


def flipped_groups(nets: NetCounts, generator: np.random.Generator) -> tuple[float, float]:
    """The p-value and mid-p of two equal models, by exchanging them in whole groups.

    Where the models are equal, each group's net count might as well have the other sign. How often is the sum of all,
    signs by a coin, as far from 0 as the one seen? That one counts as a draw, so p is 1 in 10,000 at least.

    Assumes: independent groups, in each of which either model is as likely to be ahead by so many examples.
    Breaks when: there are five groups or fewer: p is above .05 whatever was seen.
    Checked by: tests/reference/test_comparison_against_statsmodels.py::test_flipping_groups_is_scipys_permutation_test,
        tests/measuring/test_paired.py::test_intervals_and_p_hold_in_groups

    Source:
        Winkler et al., NeuroImage 123 (2015) 253; Phipson, Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39.
    """
    sizes, counts = np.unique(np.abs(nets.net[nets.net != 0]), return_counts=True)
    seen = abs(int(nets.net.sum()))
    if not seen:
        return 1.0, 1.0
    sums = np.zeros(N_FLIPS, np.int64)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        sums += size * (2 * generator.binomial(count, 0.5, size=N_FLIPS) - count)
    n_more, n_equal = int((np.abs(sums) > seen).sum()), int((np.abs(sums) == seen).sum())
    return (n_more + n_equal + 1) / (N_FLIPS + 1), (n_more + (n_equal + 1) / 2) / (N_FLIPS + 1)


def _feared_effect(nets: NetCounts) -> float:
    """The design effect that has to be feared while few groups have an example that is disagreed on."""
    return feared_effect(nets.n, int(np.count_nonzero(nets.disagreed)))


def design_effect(nets: NetCounts) -> float:
    """How many examples of these groups tell as much about the difference as one by itself, 1 or more.

    What the spread of the net counts shows, or, while few groups tell, what has to be feared.

    Source:
        Kish, "Survey Sampling" (1965).
    """
    total, n_groups = float(nets.n.sum()), len(nets.n)
    value = float(nets.net.sum()) / total
    if_independent = float(nets.disagreed.sum()) - total * value**2
    seen = 1.0
    if if_independent > 0 and n_groups > 1:
        seen = float(((nets.net - value * nets.n) ** 2).sum()) * n_groups / (n_groups - 1) / if_independent
    return max(seen, _feared_effect(nets))


def _margin(n: int | float, difference: float, disagreed: float) -> float:
    """How far, in examples, the difference lies beyond what McNemar's test shows 80 times in 100; below 0 it does not.

    Connett, Smith, McHugh, Stat. Med. 6 (1987) 163, with one example taken off for the exactness of the test.
    """
    by_chance = normal_quantile(0.95) * np.sqrt(n * disagreed)
    by_power = _POWER_QUANTILE * np.sqrt(max(n * (disagreed - difference**2), 0.0))
    return float(n * difference - 1 - by_chance - by_power)
