"""Precision-recall and ROC curves of one class against all others, with bands.

The bands are a bootstrap from sorted counts: the examples are sorted once and counted in at most 800 cells of the
order, and what is drawn again is how many positives and negatives lie in each cell. So a million examples cost a sort
and 0.3 s more. In groups, whole groups are drawn, and every resample counts all examples once: a million take 200
resamples and 2 s.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.measuring.grouped import feared_effect, n_equal_groups, t_quantile
from heldout.measuring.intervals import normal_quantile, wilson
from heldout.measuring.ranked import Ranked, ends_of_cells, ranked

# Points kept of a curve, and cells that are counted: a figure shows no more, and no cell holds more than 1 / 400 of the
# positives or of the others. Assumed.
N_POINTS, N_CELLS = 200, 800
N_RESAMPLES = 1000
# With groups every resample costs one pass over the examples; so many of them in all, and 200 passes at least.
_MOST_WORK, _LEAST_RESAMPLES = 40_000_000, 200

# Shares of positives and of negatives up to the end of each cell, a line a resample
_Rates = tuple[Float[np.ndarray, "resamples cells"], Float[np.ndarray, "resamples cells"]]


@final
@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Precision where a share of the positives is found, from the most probable on; the last point names everything.

    Attributes:
        recall: Share of the positives that is found, rising.
        precision: Share of what is named that is positive.
        low: Lower end of the 95 % interval of the precision at this recall ...
        high: ... and the upper one.
    """

    recall: tuple[float, ...]
    precision: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary of lists for JSON."""
        return {name: list(values) for name, values in asdict(self).items()}


@final
@dataclass(frozen=True, slots=True)
class Roc:
    """The share of positives found where a share of the negatives is taken for one, from (0, 0) to (1, 1).

    Attributes:
        fpr: Share of the negatives, rising.
        tpr: Share of the positives.
        low: Lower end of the 95 % interval of `tpr` at this `fpr` ...
        high: ... and the upper one.
    """

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary of lists for JSON."""
        return {name: list(values) for name, values in asdict(self).items()}


def curves_of(
    probability: Float[np.ndarray, " examples"],
    is_positive: Bool[np.ndarray, " examples"],
    *,
    generator: np.random.Generator,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> tuple[PrecisionRecall, Roc] | None:
    """Both curves, each of at most 202 points; None where there is no positive or no negative.

    Bands hold at one point 95 times in 100, not along the whole curve. They are never narrower than Wilson's interval
    at the point's own threshold; the ends, which are known, have none.

    Args:
        probability: Of the class, or anything that rises with it.
        is_positive: Whether the example is of the class.
        generator: Where the random numbers come from.
        groups: Examples with the same number belong together; None where each is by itself.

    Assumes: examples, or groups, drawn independently; for precision, that the prevalence is that of this part.
    Covers: at single points 92 to 100 % with 30 positives among 130 or 1,030 (measured 2026-11-22, 200 data sets each).
    Breaks when: there are few positives: the curve is then a staircase of as many steps.
    Checked by: tests/reference/test_rank_scores_against_sklearn.py::test_curves_are_scikit_learns,
        tests/measuring/test_curves.py::test_bands_cover

    Example:
        >>> p, label = np.array([0.9, 0.8, 0.3]), np.array([True, False, True])
        >>> both = curves_of(p, label, generator=np.random.default_rng(0))
        >>> both[0].recall, [round(each, 3) for each in both[0].precision], both[1].fpr
        ((0.5, 1.0), [1.0, 0.667], (0.0, 0.0, 1.0, 1.0))
    """
    order = ranked(probability, is_positive)
    if not order.n_positives or not order.n_negatives:
        return None
    ends = ends_of_cells(order, N_CELLS)
    found, alarms = (np.cumsum(each)[ends] for each in (order.positives, order.negatives))
    if groups is None or len(np.unique(groups)) == len(groups):
        drawn, cost = _by_examples(found, alarms, generator), (1.0, 1.0)
    else:
        drawn, cost = _by_groups(order, ends, groups, generator), _cost_of(groups, order)
    return _precision_recall(found, alarms, drawn, cost), _roc(found, alarms, drawn, cost)


def _precision_recall(
    found: Int[np.ndarray, " cells"], alarms: Int[np.ndarray, " cells"], drawn: _Rates, cost: tuple[float, float]
) -> PrecisionRecall:
    """Where cells end that hold a positive, and the end of all."""
    kept = _thinned(np.flatnonzero(np.diff(found, prepend=0)))
    recall = found[kept] / found[-1]
    values = np.empty((len(drawn[0]), len(kept)))
    for line, (share_found, share_alarms) in enumerate(zip(*drawn, strict=True)):
        # The first cell that reaches the recall; sums of rescaled counts differ in their last digits.
        cell = np.minimum(np.searchsorted(share_found, recall - 1e-9), len(found) - 1)
        true, false = share_found[cell] * found[-1], share_alarms[cell] * alarms[-1]
        values[line] = true / (true + false)
    n_named = found[kept] + alarms[kept]
    precision = found[kept] / n_named
    low, high = _band(values, precision, n_named, cost)
    if kept[-1] < len(found) - 1:
        recall, precision, low, high = (
            np.append(each, end) for each, end in zip((recall, precision, low, high), [1.0] + [0.0] * 3, strict=True)
        )
    precision[-1] = found[-1] / (found[-1] + alarms[-1])
    low[-1] = high[-1] = precision[-1]
    return PrecisionRecall(*(tuple(each.tolist()) for each in (recall, precision, low, high)))


def _roc(
    found: Int[np.ndarray, " cells"], alarms: Int[np.ndarray, " cells"], drawn: _Rates, cost: tuple[float, float]
) -> Roc:
    """The start, and where cells end."""
    kept = _thinned(np.arange(len(found)))
    fpr, tpr = alarms[kept] / alarms[-1], found[kept] / found[-1]
    values = np.stack(
        [
            np.interp(fpr, np.append(0.0, share_alarms), np.append(0.0, share_found))
            for share_found, share_alarms in zip(*drawn, strict=True)
        ]
    )
    low, high = _band(values, tpr, np.full(len(kept), found[-1]), cost)
    low[-1] = high[-1] = 1.0
    fpr, tpr, low, high = (np.append(0.0, each) for each in (fpr, tpr, low, high))
    return Roc(*(tuple(each.tolist()) for each in (fpr, tpr, low, high)))


def _band(
    values: Float[np.ndarray, "resamples points"],
    value: Float[np.ndarray, " points"],
    n: Int[np.ndarray, " points"],
    cost: tuple[float, float],
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Percentiles, lengthened, and no nearer than Wilson's interval of a share of n; groups cost both something."""
    stretch, effect = cost
    n_told = (n / effect).tolist()
    plain = [wilson(share * each, each) for share, each in zip(value.tolist(), n_told, strict=True)]
    low, high = (value + stretch * (end - value) for end in np.quantile(values, [0.025, 0.975], axis=0))
    low = np.minimum(low, [interval.low for interval in plain])
    high = np.maximum(high, [interval.high for interval in plain])
    return np.clip(np.minimum(low, value), 0.0, 1.0), np.clip(np.maximum(high, value), 0.0, 1.0)


def _cost_of(groups: Int[np.ndarray, " examples"], order: Ranked) -> tuple[float, float]:
    """By how much percentiles are lengthened for want of groups, and the design effect to fear all the same."""
    n = np.unique(groups, return_counts=True)[1]
    n_telling = min(len(np.unique(groups[each])) for each in (order.is_positive, ~order.is_positive))
    return t_quantile(n_equal_groups(n) - 1) / normal_quantile(0.95), feared_effect(n, n_telling)


def _thinned(cells: Int[np.ndarray, " cells"]) -> Int[np.ndarray, " kept"]:
    """At most 200 of them, the first and the last among these."""
    return cells[np.unique(np.linspace(0, len(cells) - 1, N_POINTS).round().astype(np.int64))]


def _by_examples(
    found: Int[np.ndarray, " cells"], alarms: Int[np.ndarray, " cells"], generator: np.random.Generator
) -> _Rates:
    """Both kinds drawn apart, one less than there are of each: Rao, Wu (1988)."""
    rates = []
    for reached in (found, alarms):
        n_draws = max(int(reached[-1]) - 1, 1)
        drawn = generator.multinomial(n_draws, np.diff(reached, prepend=0) / reached[-1], size=N_RESAMPLES)
        rates.append(np.cumsum(drawn, axis=1) / n_draws)
    return rates[0], rates[1]


def _by_groups(
    order: Ranked, ends: Int[np.ndarray, " cells"], groups: Int[np.ndarray, " examples"], generator: np.random.Generator
) -> _Rates:
    """Whole groups drawn, one less than there are; a draw without one of both kinds is left out."""
    cell = np.searchsorted(ends, order.step) + np.where(order.is_positive, 0, len(ends))
    _, position = np.unique(groups, return_inverse=True)
    n_resamples = int(np.clip(_MOST_WORK // len(cell), _LEAST_RESAMPLES, N_RESAMPLES))
    counts = np.stack(list(_counted(cell, position, 2 * len(ends), n_resamples, generator)))
    found, alarms = (np.cumsum(each, axis=1) for each in np.split(counts, 2, axis=1))
    usable = (found[:, -1] > 0) & (alarms[:, -1] > 0)
    if not usable.any():  # such as a single group of each kind: nothing is known but the curve itself
        found, alarms, usable = np.ones((1, len(ends))), np.ones((1, len(ends))), np.array([True])
    found, alarms = found[usable], alarms[usable]
    return found / found[:, -1:], alarms / alarms[:, -1:]


def _counted(
    cell: Int[np.ndarray, " examples"],
    position: Int[np.ndarray, " examples"],
    n_cells: int,
    n_resamples: int,
    generator: np.random.Generator,
) -> Iterator[Float[np.ndarray, " cells"]]:
    """Examples in each cell, for each draw of groups."""
    n_groups = int(position.max()) + 1
    for _ in range(n_resamples):
        times = np.bincount(generator.integers(n_groups, size=max(n_groups - 1, 1)), minlength=n_groups)
        yield np.bincount(cell, weights=times[position], minlength=n_cells)
