"""95 % intervals: for shares, for mean losses, and for statistics of a confusion matrix.

All of them assume examples drawn independently from the population the number is claimed for. Near
duplicates and bursts of one scene in the scored part make every one of them too narrow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.errors import UsageError

# The ends of a 95 % interval then scatter by about 1.5 % of its width: sqrt(.025 x .975 / 2000) over the
# normal density there.
N_RESAMPLES = 2000
# Largest block of counts held at once while resampling: 4 million float64 = 32 MB. Assumed enough to be fast.
BLOCK_NUMBERS = 4_000_000

# (hits and predicted counts of (tables, classes), examples of each class) -> one number a table
Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value may lie.

    Attributes:
        low: Lower end.
        high: Upper end.
        method: What made it, in words fit for a footnote.
    """

    low: float
    high: float
    method: str


def wilson(n_successes: int | float, n: int | float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share, within 0 to 1; 0 to 1 where n is 0.

    Counts need not be whole: n examples in groups may tell as much as fewer independent ones.

    Assumes: independent examples with one success probability.
    Breaks when: examples come in near-duplicates; coverage is 95 % on average, swings between 90 and 99 %
        with n and the share, and dips to 84 % where the true share lies within about 1 / n of 0 or 1.
    Checked by: tests/measuring/test_interval_coverage.py::test_wilson_covers_95_percent_on_average

    Source:
        Wilson (1927); Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion" (2001), eq. 4.

    Example:
        >>> interval = wilson(95, 100)
        >>> round(interval.low, 4), round(interval.high, 4)
        (0.8882, 0.9785)
    """
    _check_counts(n_successes, n)
    method = f"Wilson, {confidence:.0%}"
    if n == 0:
        return Interval(0.0, 1.0, method)
    z = normal_quantile(confidence)
    share = n_successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))) / (1 + z**2 / n)
    # The ends are exact at 0 and n; rounding must not move them past the share itself.
    low = 0.0 if n_successes == 0 else middle - half
    high = 1.0 if n_successes == n else middle + half
    return Interval(low, high, method)


def clopper_pearson(n_successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The interval of a share that never covers less than it says, at the price of width; 0 to 1 where n is 0.

    Assumes: independent examples with one success probability.
    Breaks when: examples come in near-duplicates.
    Checked by: tests/measuring/test_interval_coverage.py::test_clopper_pearson_never_covers_less_than_95_percent

    Source:
        Clopper, Pearson (1934), by quantiles of the beta distribution.

    Example:
        >>> interval = clopper_pearson(95, 100)
        >>> round(interval.low, 4), round(interval.high, 4)
        (0.8872, 0.9836)
    """
    from scipy.special import betaincinv

    _check_counts(n_successes, n)
    tail = (1 - confidence) / 2
    low = 0.0 if n_successes == 0 else float(betaincinv(n_successes, n - n_successes + 1, tail))
    high = 1.0 if n_successes == n else float(betaincinv(n_successes + 1, n - n_successes, 1 - tail))
    return Interval(low, high, f"Clopper-Pearson, {confidence:.0%}")


def mean_interval(values: Float[np.ndarray, " examples"], confidence: float = 0.95) -> Interval:
    """An interval of the mean of skewed values, unbounded where there are fewer than two of them.

    The normal interval with Hall's cubic correction for skewness: for losses of a good classifier it reaches
    further up than down. At n = 150 and 5 % errors it covers 95 % where Student's t covers 90 % (measured
    2026-11-22).

    Assumes: independent examples, finite third moment.
    Breaks when: what makes the mean large is so rare that the sample holds none of it (then use
        `loss_interval`); equal values give a point.
    Checked by: tests/measuring/test_interval_coverage.py::test_mean_interval_covers_skewed_values

    Source:
        Hall, "On the Removal of Skewness by Transformation", JRSS B 54 (1992), the transformation g and
        its inverse.

    Example:
        >>> interval = mean_interval(np.array([0.0, 0.0, 0.0, 1.0]))
        >>> round(interval.low, 3), round(interval.high, 3)
        (-0.108, 2.292)
    """
    method = f"mean with correction for skewness, {confidence:.0%}"
    n = len(values)
    if n < 2:
        return Interval(-np.inf, np.inf, method)
    mean = float(values.mean())
    deviations = values - mean
    spread = float(np.sqrt((deviations**2).mean()))
    if spread == 0:
        return Interval(mean, mean, method)
    skewness = float(((deviations / spread) ** 3).mean())
    error = spread / float(np.sqrt(n - 1))  # n - 1: the unbiased standard error
    z = normal_quantile(confidence)
    lean = skewness / float(np.sqrt(n))
    return Interval(mean - error * _undo_skewness(z, lean), mean - error * _undo_skewness(-z, lean), method)


def loss_interval(
    losses: Float[np.ndarray, " examples"],
    wrong: Bool[np.ndarray, " examples"],
    *,
    loss_if_wrong: float,
    highest: float = np.inf,
) -> Interval:
    """A 95 % interval of a mean loss that stays honest when hardly an error was seen.

    Below it is `mean_interval`. Above it is the larger of `mean_interval` and of what the mean would be if
    the true error rate were at the upper end of its Wilson interval, each error costing the mean of those
    seen or `loss_if_wrong`, whichever is more. With 99.2 % accuracy and 50 examples that lifts coverage from
    70 % to 99 %; with more than a few errors the width hardly changes (measured 2026-11-22).

    Assumes: independent examples; losses from 0 to `highest`; errors not yet seen cost no more than
        `loss_if_wrong`, the model's own expectation.
    Breaks when: the model is far more overconfident on its errors than it says itself and few of them were
        seen (92 % at 50 examples with logits twice too large, 5 % errors).
    Checked by: tests/measuring/test_interval_coverage.py::test_loss_intervals_cover
    """
    interval = mean_interval(losses)
    n_wrong, n = int(wrong.sum()), len(losses)
    error_rate = wilson(n_wrong, n).high
    price = max(float(losses[wrong].mean()), loss_if_wrong) if n_wrong else loss_if_wrong
    if_right = float(losses[~wrong].mean()) if n_wrong < n else 0.0
    pessimistic = (1 - error_rate) * if_right + error_rate * price
    return Interval(
        max(interval.low, 0.0),
        min(max(interval.high, pessimistic), highest),
        "mean with corrections for skewness and for errors not seen, 95%",
    )


def bootstrap_from_confusion(
    confusion: Int[np.ndarray, "classes classes"],
    statistic: Statistic,
    *,
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """A percentile interval of a statistic of the confusion matrix, by resampling each of its rows.

    Rows (true classes) are resampled apart, so class sizes stay as they are, and no example is touched:
    tables of shards can be added first. The plain bootstrap lies for good classifiers and small classes (a
    perfect row never varies; a row of n examples varies by (n - 1) / n too little), so each row is

    - drawn n - 1 times (at least once) and scaled back to n: Rao, Wu (1988);
    - first smoothed by one example at the mean recall of all classes, so that rows of one or two vary;
    - and by z^2 / 2 right and z^2 / 2 wrong examples shared out evenly over all rows: Agresti, Coull (1998)
      in the form of Price, Bonett (2004) for a mean of shares.

    A smoothing example that is wrong lands on any other column. The interval always holds the value
    itself. Classes without an example are left out.

    Assumes: independent examples, class sizes fixed.
    Breaks when: classes have one or two examples each (macro-F1: 92 % covered at one each, over 20 classes);
        with few classes of very unlike size it is wider than need be (99 % covered).
    Checked by: tests/measuring/test_interval_coverage.py::test_bootstrap_intervals_cover

    Args:
        confusion: Counts, rows true, columns predicted; at least one example and two classes.
        statistic: Takes hits, predicted counts and true counts of the classes with an example.
        generator: Where the random numbers come from.
        n_resamples: How many tables to draw.
        confidence: Share of data sets whose interval should hold the true value.

    Source:
        Efron (1979); Rao, Wu, JASA 83:231; Agresti, Coull, Am. Stat. 52:119; Price, Bonett, CSDA 45:449.
    """
    present = np.flatnonzero(confusion.sum(axis=1))
    value = statistic_of(confusion, statistic)
    rows = _smoothed_rows(confusion, present, pseudo=normal_quantile(confidence) ** 2 / 2)
    most_missed = max(len(row.missed) for row in rows)
    block = max(1, BLOCK_NUMBERS // max(len(confusion), most_missed))
    values = np.concatenate(
        [
            statistic(*_resample(rows, len(confusion), min(block, n_resamples - start), generator))
            for start in range(0, n_resamples, block)
        ]
    )
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    left_out = len(confusion) - len(present)
    note = f"; {left_out} of {len(confusion)} classes have no example and are left out" if left_out else ""
    method = f"stratified bootstrap, {n_resamples} resamples, {confidence:.0%}{note}"
    return Interval(min(float(low), value), max(float(high), value), method)


def statistic_of(confusion: Int[np.ndarray, "classes classes"], statistic: Statistic) -> float:
    """The statistic of one table, over the classes that have an example."""
    examples = confusion.sum(axis=1)
    present = np.flatnonzero(examples)
    hits, predicted = confusion.diagonal()[None, present], confusion.sum(axis=0)[None, present]
    return float(statistic(hits, predicted, examples[present])[0])


# With more misses than so many a class, counts are drawn a class instead of a place a miss: a draw of a count takes
# about as long as those of so many places (measured here, 2026-11-22).
_MANY_MISSES = 4


@dataclass(frozen=True, slots=True)
class _Row:
    """One true class, ready to be resampled."""

    class_index: int
    n: int
    recall: float  # smoothed
    missed: Int[np.ndarray, " misses"]  # the column of each of its examples that was missed
    pseudo_misses: float  # the smoothing's part of the misses; may land on any other column


def _smoothed_rows(
    confusion: Int[np.ndarray, "classes classes"], present: Int[np.ndarray, " present"], *, pseudo: float
) -> list[_Row]:
    """The rows with an example, each with one example at the mean recall and its part of `pseudo` added."""
    examples, hits = confusion.sum(axis=1), confusion.diagonal()
    mean_recall = float((hits[present] / examples[present]).mean())
    right = mean_recall + pseudo / len(present)
    wrong = 1 - mean_recall + pseudo / len(present)
    rows = []
    for index in present.tolist():
        misses = confusion[index].copy()
        misses[index] = 0
        recall = float((hits[index] + right) / (examples[index] + right + wrong))
        missed = np.repeat(np.arange(len(confusion)), misses)
        rows.append(_Row(index, int(examples[index]), recall, missed, wrong))
    return rows


def _resample(
    rows: list[_Row], n_classes: int, n_resamples: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, predicted counts and true counts of the present classes, one line a resample."""
    hits = np.empty((n_resamples, len(rows)))
    landed = np.zeros((n_resamples, n_classes))
    for position, row in enumerate(rows):
        n_draws = max(row.n - 1, 1)
        drawn = generator.binomial(n_draws, row.recall, size=n_resamples)
        hits[:, position] = drawn * row.n / n_draws  # in this order: all right gives exactly n
        if len(row.missed) > _MANY_MISSES * n_classes:
            landed += _landing_counts(row, n_draws - drawn, n_classes, generator) * (row.n / n_draws)
            continue
        cells = _landing_cells(row, n_draws - drawn, n_classes, generator)
        np.add.at(landed.reshape(-1), cells, row.n / n_draws)
    present = [row.class_index for row in rows]
    return hits, hits + landed[:, present], np.array([row.n for row in rows])


def _landing_counts(
    row: _Row, n_misses: Int[np.ndarray, " resamples"], n_classes: int, generator: np.random.Generator
) -> Int[np.ndarray, "resamples classes"]:
    """How many misses of each resample land on each class: the same law as `_landing_cells`, not miss by miss."""
    weights = np.bincount(row.missed, minlength=n_classes) + row.pseudo_misses / (n_classes - 1)
    weights[row.class_index] = 0.0
    return generator.multinomial(n_misses, weights / weights.sum())


def _landing_cells(
    row: _Row, n_misses: Int[np.ndarray, " resamples"], n_classes: int, generator: np.random.Generator
) -> Int[np.ndarray, " misses"]:
    """Where the misses of each resample land, as flat positions in a table of resamples by classes."""
    n_seen = len(row.missed)
    others = np.delete(np.arange(n_classes), row.class_index)
    drawn = generator.random(int(n_misses.sum())) * (n_seen + row.pseudo_misses)
    stretched = n_seen + (drawn - n_seen) * (len(others) / row.pseudo_misses)
    places = np.where(drawn < n_seen, drawn, stretched).astype(np.int64)
    columns = np.concatenate([row.missed, others])
    # Rounding can reach one past the last place, about once in 10^15 draws.
    landed = columns[np.minimum(places, len(columns) - 1)]
    return np.asarray(np.repeat(np.arange(len(n_misses)) * n_classes, n_misses) + landed)


def _undo_skewness(quantile: float, lean: float) -> float:
    """Hall's inverse transformation of a normal quantile; `lean` is skewness / sqrt(n)."""
    if abs(lean) < 1e-8:  # the limit at no skewness; the formula divides by it
        return quantile
    return float(3 / lean * (np.cbrt(1 + lean * (quantile - lean / 6)) - 1))


def normal_quantile(confidence: float) -> float:
    """How many standard deviations reach either way: 1.96 at 95 %."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _check_counts(n_successes: int | float, n: int | float) -> None:
    """Raise unless 0 <= n_successes <= n."""
    if not 0 <= n_successes <= n:
        raise UsageError(
            f"{n_successes} successes of {n}",
            expected="0 <= n_successes <= n",
            fix="pass the number of successes first, then the number of trials",
        )
