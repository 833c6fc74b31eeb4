"""A threshold for two classes, chosen on validation: exactly, over every probability that occurs there."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, final, get_args

import numpy as np
from jaxtyping import Bool, Float, Real

from heldout.errors import UsageError, one_of
from heldout.measuring.costs import check_costs
from heldout.measuring.decisions import Decision, at_threshold
from heldout.measuring.intervals import wilson
from heldout.measuring.predictions import Predictions
from heldout.measuring.ranked import Ranked, ends_of_cells, ranked

Metric = Literal["balanced_accuracy", "f1", "mcc", "cost"]
# Points kept of a curve: more than a figure of this width can show. Assumed.
N_POINTS = 200
# Scores nearer to each other than this are one plateau: rounding of sums of up to 10^9 counts stays below it.
_EQUAL = 1e-12

# (share of positives found, share of negatives called positive) -> the metric
_OfRates = Callable[[Real[np.ndarray, " cuts"], Real[np.ndarray, " cuts"]], Float[np.ndarray, " cuts"]]


@final
@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """How a metric depends on the threshold, on the examples that it was chosen on.

    Attributes:
        metric: `balanced_accuracy`, `f1`, `mcc`, or `cost` (the mean cost, the only one that is best where smallest).
        positive: The class that is decided for where its probability is at least the threshold.
        thresholds: Rising, at most 200; the chosen one and 0.5 are among them.
        values: The metric at each, of all examples.
        low: Lower end of its 95 % interval at this threshold ...
        high: ... and the upper one.
        chosen: The threshold that was chosen or stated.
    """

    metric: str
    positive: int
    thresholds: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    chosen: float

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {name: list(each) if isinstance(each, tuple) else each for name, each in asdict(self).items()}


def choose_threshold(
    predictions: Predictions,
    *,
    metric: Metric,
    positive: int,
    costs: Float[np.ndarray, "classes classes"] | None = None,
) -> tuple[Decision, ThresholdCurve]:
    """The threshold that is best by a metric on these examples, which must not be those that are scored.

    Every threshold that decides differently is tried. Of those that are equally good it is the middle of the widest
    stretch. One sort: a million examples take 0.6 s.

    Args:
        predictions: On validation, of two classes, at their temperature.
        metric: What is to be best.
        positive: The class that the threshold is about.
        costs: For the metric `cost` alone: rows by the true class, columns by the class decided for.

    Raises:
        UsageError: Not two classes, one of them has no example, the metric is not known, or costs do not go with it.

    Assumes: validation and later examples come from one population.
    Breaks when: there are few examples of the rarer class: the threshold scatters, and the value at the chosen
        threshold is too good (its interval does not know that it was chosen); take the value of the test part.
    Checked by: tests/measuring/test_thresholds.py::test_the_threshold_is_the_best_of_all

    Example:
        >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
        >>> predictions = Predictions(tuple("abcd"), np.array([0, 0, 1, 1]), logits, ("well", "sick"))
        >>> decision, curve = choose_threshold(predictions, metric="balanced_accuracy", positive=1)
        >>> round(decision.threshold, 3), max(curve.values)
        (0.3, 1.0)
    """
    order, score = _prepared(predictions, metric, positive, costs)
    found, alarms = (np.concatenate([[0], np.cumsum(each)]) for each in (order.positives, order.negatives))
    values = score(found / order.n_positives, alarms / order.n_negatives)
    goodness = -values if metric == "cost" else values
    # Above the largest probability nothing is positive; above 1 there is no threshold.
    if order.probabilities[0] >= 1:
        goodness[0] = -np.inf
    threshold = _middle_of_widest(order.probabilities, goodness >= goodness.max() - _EQUAL)
    return at_threshold(threshold, positive, metric=metric), _curve(order, score, metric, positive, threshold)


def curve_at(
    predictions: Predictions,
    *,
    metric: Metric,
    positive: int,
    chosen: float,
    costs: Float[np.ndarray, "classes classes"] | None = None,
) -> ThresholdCurve:
    """The same curve for a threshold that was stated, not chosen.

    Args:
        predictions: As for `choose_threshold`.
        metric: As for `choose_threshold`.
        positive: As for `choose_threshold`.
        chosen: The threshold.
        costs: As for `choose_threshold`.

    Raises:
        UsageError: As `choose_threshold`.
    """
    order, score = _prepared(predictions, metric, positive, costs)
    return _curve(order, score, metric, positive, chosen)


def _prepared(
    predictions: Predictions, metric: str, positive: int, costs: Float[np.ndarray, "classes classes"] | None
) -> tuple[Ranked, _OfRates]:
    """The examples in order, and the metric as a function of both rates."""
    if metric not in get_args(Metric):
        raise one_of("the metric of a threshold", metric, get_args(Metric))
    if len(predictions.classes) != 2 or positive not in (0, 1):
        raise UsageError(
            f"a threshold for class number {positive} of {len(predictions.classes)}",
            expected="two classes, and one of them as the positive",
            fix="with more classes state costs, such as --costs sick:well=10,well:sick=1",
        )
    is_positive = predictions.labels == positive
    if is_positive.all() or not is_positive.any():
        only = predictions.classes[predictions.labels[0]]
        raise UsageError(
            f"all {len(predictions)} examples to choose a threshold on are {only!r}",
            expected="examples of both classes",
            fix="use a larger validation part, or state the threshold",
        )
    if (costs is not None) != (metric == "cost"):
        raise UsageError(
            f"the metric is {metric!r} and costs are {'not ' if costs is None else ''}given",
            expected="costs with the metric cost, and with no other",
            fix="leave one of them out",
        )
    if costs is not None:
        check_costs(costs)
    # As in `Decision.decide`, to the last bit.
    order = ranked(np.exp(predictions.log_probabilities[:, positive]), is_positive)
    return order, _metric(metric, order, positive, costs)


def _metric(metric: str, order: Ranked, positive: int, costs: Float[np.ndarray, "classes classes"] | None) -> _OfRates:
    """The metric as a function of the share of positives found and of negatives called positive."""
    m, n = float(order.n_positives), float(order.n_negatives)

    def balanced_accuracy(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
        return np.asarray((found + 1 - alarms) / 2)

    def f1(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
        return np.asarray(2 * found * m / (m + found * m + alarms * n))

    def mcc(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
        called = found * m + alarms * n
        spread = called * (m + n - called) * m * n
        agreement = m * n * (found - alarms)
        return np.where(spread > 0, agreement / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)

    def cost(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
        assert costs is not None, "checked before"
        of_positives, of_negatives = costs[positive], costs[1 - positive]
        right, missed = found * of_positives[positive], (1 - found) * of_positives[1 - positive]
        alarm, rejected = alarms * of_negatives[positive], (1 - alarms) * of_negatives[1 - positive]
        return np.asarray((m * (right + missed) + n * (alarm + rejected)) / (m + n))

    return {"balanced_accuracy": balanced_accuracy, "f1": f1, "mcc": mcc, "cost": cost}[metric]


def _middle_of_widest(probabilities: Float[np.ndarray, " steps"], is_best: Bool[np.ndarray, " cuts"]) -> float:
    """The threshold in the middle of the widest run of best cuts; cut k calls the first k steps positive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_best, [False]])))
    first, last = edges[::2], edges[1::2] - 1
    highest = np.concatenate([[1.0], probabilities])[first]
    lowest = np.concatenate([probabilities, [0.0]])[last]
    widest = int((highest - lowest).argmax())
    middle = float(lowest[widest] + highest[widest]) / 2
    # Between two neighbouring numbers there is no middle, and the lower end itself would decide otherwise.
    return middle if middle > lowest[widest] else float(highest[widest])


def _curve(order: Ranked, score: _OfRates, metric: str, positive: int, chosen: float) -> ThresholdCurve:
    """The metric at the probabilities that cut the examples evenly, with the chosen threshold and 0.5."""
    kept = order.probabilities[ends_of_cells(order, N_POINTS - 4)]
    thresholds = np.unique(np.concatenate([kept, [0.5, chosen]]))
    n_steps = np.searchsorted(-order.probabilities, -thresholds, side="right")
    found, alarms = (np.concatenate([[0], np.cumsum(each)])[n_steps] for each in (order.positives, order.negatives))
    low, high = _bands(score, (found, order.n_positives), (alarms, order.n_negatives))
    values = score(found / order.n_positives, alarms / order.n_negatives)
    at, value, least, most = (tuple(each.tolist()) for each in (thresholds, values, low, high))
    return ThresholdCurve(metric, positive, at, value, least, most, chosen)


def _bands(
    score: _OfRates, found: tuple[Real[np.ndarray, " points"], int], alarms: tuple[Real[np.ndarray, " points"], int]
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """95 % intervals of a metric of two independent rates, from Wilson's interval of each.

    Source:
        Zou, Donner, "Construction of confidence limits about effect measures" (2008): the distances that each rate
        moves the metric by, squared and added; here also for metrics that are not sums.
    """
    rates = [counts / n for counts, n in (found, alarms)]
    ends = [[wilson(each, n) for each in counts.tolist()] for counts, n in (found, alarms)]
    value = score(rates[0], rates[1])
    moved = []
    for position in (0, 1):
        for name in ("low", "high"):
            at_end = rates.copy()
            at_end[position] = np.array([getattr(interval, name) for interval in ends[position]])
            moved.append(score(at_end[0], at_end[1]) - value)
    down = np.sqrt(sum(np.minimum(each, 0) ** 2 for each in moved))
    up = np.sqrt(sum(np.maximum(each, 0) ** 2 for each in moved))
    return value - down, value + up
