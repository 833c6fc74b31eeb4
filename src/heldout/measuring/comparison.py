"""Differences between two classifiers, always paired: two fitted models on the same examples, two settings over folds.

`compare_paired` says which of two *fitted models* answers better; trained again from another seed, either might do
otherwise. `corrected_t` says which of two *settings* trains better models, from the scores of several folds or seeds.

Everywhere a difference is A minus B, so that above 0 A is better, and has a 95 % interval and a p-value of the
hypothesis that there is none. Both come from different formulas: near p = .05 one may say yes and the other no.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.errors import UsageError
from heldout.measuring.paired import (
    N_FLIPS,
    design_effect,
    detectable_difference,
    examples_needed,
    flipped_groups,
    grouped_paired_interval,
    mcnemar,
    net_counts,
    paired_interval,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A minus B: above 0 A is better.

    Attributes:
        value: The difference, -1 to 1.
        low: Lower end of its 95 % interval, -1 at least.
        high: Upper end, 1 at most.
        p: How probable so large a difference, either way, is where there is none, 0 to 1.
        n: How many examples it rests on, or folds.
        method: What made the interval and p.
    """

    value: float
    low: float
    high: float
    p: float
    n: int
    method: str

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {name: getattr(self, name) for name in ("value", "low", "high", "p", "n", "method")}


@dataclass(frozen=True, slots=True)
class FoldMean:
    """The mean score of one setting over folds.

    Attributes:
        value: The mean, 0 to 1.
        low: Lower end of its 95 % interval, 0 at least.
        high: Upper end, 1 at most.
        n: How many folds have a score.
        method: What made the interval.
    """

    value: float
    low: float
    high: float
    n: int
    method: str

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {name: getattr(self, name) for name in ("value", "low", "high", "n", "method")}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two fitted models on the same examples.

    Attributes:
        n: Examples.
        n_both: Those that both answer right.
        n_only_a: Those that only A answers right.
        n_only_b: Those that only B answers right.
        n_neither: Those that neither answers right.
        difference: Of the accuracies; p is McNemar's exact one, or, with groups, that of flipped groups.
        p_mid: The same test's mid-p: less strict, and nearer to 5 % errors of the first kind.
        detectable: The smallest true difference that so many examples would show, 80 times in 100 with p < .05, if the
            two go on disagreeing as often as here; 1 where no difference would do.
        n_needed: So many examples in all, these included, would show the difference seen, if it is the true one, 80
            times in 100; None where none was seen.
        n_groups: How many groups the examples came in; None where each is by itself.
    """

    n: int
    n_both: int
    n_only_a: int
    n_only_b: int
    n_neither: int
    difference: Difference
    p_mid: float
    detectable: float
    n_needed: int | None
    n_groups: int | None

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        counts = {name: getattr(self, name) for name in ("n", "n_both", "n_only_a", "n_only_b", "n_neither")}
        rest = {name: getattr(self, name) for name in ("p_mid", "detectable", "n_needed", "n_groups")}
        return counts | {"difference": self.difference.as_dict()} | rest


def compare_paired(
    correct_a: Bool[np.ndarray, " examples"],
    correct_b: Bool[np.ndarray, " examples"],
    *,
    groups: Int[np.ndarray, " examples"] | None = None,
    generator: np.random.Generator,
) -> Comparison:
    """Which of two fitted models answers more of the same examples right, and whether that is more than chance.

    Without groups: McNemar's exact test, and the interval of `paired_interval`. With groups: whole groups are resampled
    for the interval, and for p the models are exchanged in whole groups (`flipped_groups`); five groups or fewer never
    show anything. Groups of one example each count as no groups.

    Args:
        correct_a: Whether A answers each example right.
        correct_b: The same of B, in the same order.
        groups: Examples with the same number belong together; None where each is by itself.
        generator: Where the random numbers come from; none are drawn without groups.

    Raises:
        UsageError: There is no example, or the arrays are not of one length.

    Assumes: examples, or groups, drawn independently from the population that the difference is claimed for; both
        models chosen without these examples.
    Breaks when: the better of several models was chosen by these examples, or they were looked at again and again.
    Checked by: tests/reference/test_comparison_against_statsmodels.py,
        tests/measuring/test_paired.py

    Source:
        McNemar, Psychometrika 12 (1947); Dietterich, "Approximate Statistical Tests for Comparing Supervised
        Classification Learning Algorithms" (1998); Fagerland, Lydersen, Laake, BMC Med. Res. Methodol. 13 (2013) 91 for
        mid-p.

    Example:
        >>> a, b = np.repeat([True, True, False], [88, 10, 2]), np.repeat([True, False, True], [88, 10, 2])
        >>> found = compare_paired(a, b, generator=np.random.default_rng(0))
        >>> found.n_only_a, found.n_only_b, found.difference.value, round(found.difference.p, 4), round(found.p_mid, 4)
        (10, 2, 0.08, 0.0386, 0.0225)
    """
    _check_paired(correct_a, correct_b, groups)
    n, n_both = len(correct_a), int((correct_a & correct_b).sum())
    n_only_a, n_only_b = int(correct_a.sum()) - n_both, int(correct_b.sum()) - n_both
    value = (n_only_a - n_only_b) / n
    nets = None if groups is None else net_counts(correct_a, correct_b, groups)
    if nets is None or len(nets.n) == n:
        interval, (p, p_mid), effect = paired_interval(n_only_a, n_only_b, n), mcnemar(n_only_a, n_only_b), 1.0
        method = f"{interval.method}; p: McNemar's exact test"
    else:
        effect = design_effect(nets)
        interval, (p, p_mid) = grouped_paired_interval(nets, generator), flipped_groups(nets, generator)
        method = f"{interval.method}; p: signs of whole groups flipped {N_FLIPS:,} times"
    disagreed = (n_only_a + n_only_b) / n
    return Comparison(
        n,
        n_both,
        n_only_a,
        n_only_b,
        n - n_both - n_only_a - n_only_b,
        difference=Difference(value, interval.low, interval.high, p, n, method),
        p_mid=p_mid,
        detectable=detectable_difference(n / effect, disagreed),
        n_needed=int(np.ceil(effect * examples_needed(abs(value), disagreed))) if value else None,
        n_groups=None if nets is None else len(nets.n),
    )


def corrected_t(differences: Float[np.ndarray, " folds"], *, n_train: int, n_validation: int) -> Difference:
    """The mean difference of two settings over folds, with an interval and p that know that folds share examples.

    Student's t with the variance of the mean taken as (1 / J + n_validation / n_train) s^2 for J folds: trained on much
    the same examples, folds are less independent than their number says. The spread s is taken to be at least that
    of rounding to one example, 1 / (n_validation sqrt 12): equal differences of few folds are chance, not certainty.
    With one fold the interval is -1 to 1 and p is 1.

    Args:
        differences: Score of A less score of B, -1 to 1, on each fold; nan where either has none, left out.
        n_train: Examples that each fold's models were trained on.
        n_validation: Examples that each fold's scores were taken on.

    Raises:
        UsageError: No fold has a difference, one is beyond -1 to 1, or a number of examples is below 1.

    Assumes: differences near to normal; each fold, or seed, with its own split.
    Breaks when: all seeds share one split: then the correction is too much, and the interval is about the seeds alone.
    Checked by: tests/measuring/test_comparison.py::test_corrected_t_gives_the_worked_values,
        tests/measuring/test_comparison.py::test_corrected_t_is_wrong_about_as_often_as_it_says

    Source:
        Nadeau, Bengio, "Inference for the Generalization Error", Machine Learning 52 (2003) 239, eq. 8.

    Example:
        >>> found = corrected_t(np.array([0.02, 0.03, 0.01, 0.04, 0.02]), n_train=80, n_validation=20)
        >>> round(found.value, 3), round(found.low, 3), round(found.high, 3), round(found.p, 3)
        (0.024, -0.003, 0.051, 0.068)
    """
    from scipy.special import stdtr

    kept, error, reach = _mean_and_error(differences, n_train, n_validation, lowest=-1.0)
    value = float(kept.mean())
    method = f"t-test over {len(kept)} folds, corrected (Nadeau, Bengio), 95%"
    if len(kept) == 1:
        return Difference(value, -1.0, 1.0, 1.0, 1, "one fold: nothing to judge by")
    p = min(float(2 * stdtr(len(kept) - 1, -abs(value) / error)), 1.0)
    return Difference(value, max(value - reach, -1.0), min(value + reach, 1.0), p, len(kept), method)


def mean_over_folds(values: Float[np.ndarray, " folds"], *, n_train: int, n_validation: int) -> FoldMean:
    """The mean score of a setting over folds, with the interval of `corrected_t`, cut to 0 to 1.

    Args:
        values: Scores, 0 to 1; nan where a fold has none, left out. With one alone the interval is 0 to 1.
        n_train: Examples that each fold's model was trained on.
        n_validation: Examples that each score was taken on.

    Raises:
        UsageError: No fold has a score, one is beyond 0 to 1, or a number of examples is below 1.

    Assumes: as `corrected_t`.
    Breaks when: as `corrected_t`; and of a setting that was chosen for its mean, that mean is too high.
    Checked by: tests/measuring/test_comparison.py::test_the_mean_over_folds_covers

    Example:
        >>> found = mean_over_folds(np.array([0.90, 0.92, 0.94]), n_train=80, n_validation=20)
        >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
        (0.92, 0.854, 0.986)
    """
    kept, _, reach = _mean_and_error(values, n_train, n_validation, lowest=0.0)
    value = float(kept.mean())
    if len(kept) == 1:
        return FoldMean(value, 0.0, 1.0, 1, "one fold: nothing to judge by")
    method = f"t over {len(kept)} folds, corrected (Nadeau, Bengio), 95%"
    return FoldMean(value, max(value - reach, 0.0), min(value + reach, 1.0), len(kept), method)


def _mean_and_error(
    values: Float[np.ndarray, " folds"], n_train: int, n_validation: int, *, lowest: float
) -> tuple[Float[np.ndarray, " kept"], float, float]:
    """The values that are there, the standard error of their mean, and how far their 95 % interval reaches."""
    from scipy.special import stdtrit

    kept = np.asarray(values, np.float64)
    kept = kept[~np.isnan(kept)]
    if not len(kept) or kept.min() < lowest or kept.max() > 1 or n_train < 1 or n_validation < 1:
        raise UsageError(
            f"{len(kept)} scores of folds ({', '.join(f'{value:.4g}' for value in kept[:5])}), "
            f"{n_train} train and {n_validation} validation examples",
            expected=f"at least one score that is not nan, each from {lowest:g} to 1, and one example in each part",
            fix="pass shares, not percentages or losses, of the folds that finished",
        )
    n_folds = len(kept)
    if n_folds == 1:
        return kept, np.inf, np.inf
    spread = max(float(kept.std(ddof=1)), 1 / (n_validation * float(np.sqrt(12))))
    error = spread * float(np.sqrt(1 / n_folds + n_validation / n_train))
    return kept, error, error * float(stdtrit(n_folds - 1, 0.975))


def _check_paired(correct_a: np.ndarray, correct_b: np.ndarray, groups: np.ndarray | None) -> None:
    """Raise unless there are examples and everything is of one length."""
    lengths = {len(correct_a), len(correct_b)} | (set() if groups is None else {len(groups)})
    if len(lengths) > 1 or 0 in lengths:
        of_groups = "" if groups is None else f" and {len(groups)} groups"
        raise UsageError(
            f"answers of {len(correct_a)} and of {len(correct_b)} examples{of_groups}",
            expected="the same examples, at least one, in the same order for both models",
            fix="score both models on one part of one data set and match the examples by id",
        )
