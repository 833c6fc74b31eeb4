"""Leaving the doubtful unanswered: accuracy against the share of examples that is answered."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.errors import UsageError
from heldout.measuring.decisions import Decision
from heldout.measuring.grouped import grouped_share
from heldout.measuring.intervals import Interval, wilson
from heldout.measuring.predictions import Predictions
from heldout.measuring.ranked import Ranked, ends_of_cells, ranked

# Points kept of a curve; with groups each costs one pass over these. Assumed enough for a figure.
N_POINTS = 100


@final
@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """What happens when only examples of at least some confidence are answered.

    Attributes:
        confidence: The smallest that is answered, as `sureness` has it.
        n: Examples that are answered.
        coverage: Share of all examples that is answered, 0 to 1.
        accuracy: Share of the answered that is right; nan where nothing is answered.
        low: Lower end of its 95 % interval ...
        high: ... and the upper one.
    """

    confidence: float
    n: int
    coverage: float
    accuracy: float
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON; None where the accuracy is not defined."""
        return asdict(self) | {"accuracy": None if np.isnan(self.accuracy) else self.accuracy}


def sureness(predictions: Predictions) -> Float[np.ndarray, " examples"]:
    """How sure each answer is: of the likeliest class its probability; by another rule how cheap it is beside the next.

    By costs that is expected cost of the next best / (cost of the answer + of the next best), 0.5 to 1. An answer for a
    rare class may be improbable and the right thing to say all the same: its probability would leave out the rare.

    Example:
        >>> from heldout.measuring.decisions import at_threshold
        >>> plain = Predictions(("a",), np.array([1]), np.log([[0.6, 0.4]]), ("x", "y"))
        >>> by_threshold = plain.with_decision(at_threshold(0.1, 1))
        >>> sureness(plain).round(2).tolist(), sureness(by_threshold).round(2).tolist()
        ([0.6], [0.86])
    """
    return sureness_of(predictions.probabilities, predictions.decision)


def sureness_of(
    probabilities: Float[np.ndarray, "examples classes"], decision: Decision | None
) -> Float[np.ndarray, " examples"]:
    """The same of probabilities whose labels nobody knows yet.

    Args:
        probabilities: Calibrated.
        decision: How they are answered; None for the likeliest class.

    Example:
        >>> sureness_of(np.array([[0.6, 0.4]]), None).tolist()
        [0.6]
    """
    if decision is None or decision.rule == "likeliest":
        return np.asarray(probabilities.max(axis=1))
    least, next_best = np.partition(probabilities @ decision.costs, 1, axis=1)[:, :2].T
    return np.asarray(next_best / np.maximum(least + next_best, np.finfo(np.float64).tiny))


def coverage_curve(
    predictions: Predictions, *, groups: Int[np.ndarray, " examples"] | None = None
) -> tuple[CoveragePoint, ...]:
    """At most 100 points, from the most confident examples alone to all of them.

    Args:
        predictions: Of the examples, at their temperature and with their decision.
        groups: Examples with the same number belong together, and the intervals are those of `grouped_share`; None
            where each is by itself.

    Assumes: independent examples, or groups.
    Breaks when: a point is picked for its accuracy here (pick it on validation: `confidence_for`).
    Checked by: tests/measuring/test_coverage.py::test_the_curve_is_the_one_counted_by_hand

    Example:
        >>> logits = np.array([[2.0, 0.0], [1.0, 0.0]])
        >>> predictions = Predictions(("a", "b"), np.array([0, 1]), logits, ("x", "y"))
        >>> [(point.coverage, point.accuracy) for point in coverage_curve(predictions)]
        [(0.5, 1.0), (1.0, 0.5)]
    """
    order = ranked(sureness(predictions), predictions.correct)
    ends = ends_of_cells(order, N_POINTS)
    right, n = (np.cumsum(each)[ends] for each in (order.positives, order.positives + order.negatives))
    if groups is None or len(np.unique(groups)) == len(groups):
        intervals = [wilson(*each) for each in zip(right.tolist(), n.tolist(), strict=True)]
    else:
        intervals = list(_grouped_intervals(order, ends, groups))
    return tuple(
        CoveragePoint(
            confidence, n_answered, n_answered / len(predictions), hits / n_answered, interval.low, interval.high
        )
        for confidence, n_answered, hits, interval in zip(
            order.probabilities[ends].tolist(), n.tolist(), right.tolist(), intervals, strict=True
        )
    )


def at_confidence(
    predictions: Predictions, confidence: float, *, groups: Int[np.ndarray, " examples"] | None = None
) -> CoveragePoint:
    """What a confidence that was chosen elsewhere comes to on these examples.

    Args:
        predictions: As for `coverage_curve`.
        confidence: The smallest that is answered.
        groups: As for `coverage_curve`.

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[2.0, 0.0]]), ("x", "y"))
        >>> at_confidence(predictions, 0.8).n, at_confidence(predictions, 0.9).n
        (1, 0)
    """
    is_answered, correct = sureness(predictions) >= confidence, predictions.correct
    n = int(is_answered.sum())
    accuracy = float(correct[is_answered].mean()) if n else float("nan")
    interval = _interval(correct, is_answered, groups)
    return CoveragePoint(confidence, n, n / len(predictions), accuracy, interval.low, interval.high)


def confidence_for(
    predictions: Predictions, *, accuracy: float | None = None, coverage: float | None = None
) -> float | None:
    """The smallest confidence to answer at, chosen on validation for a wished accuracy or coverage.

    For an accuracy it is the one that answers most among those whose answers are right so often, and None where none
    are. For a coverage it is the largest that still answers so many.

    Args:
        predictions: On validation, at their temperature and with their decision.
        accuracy: Wished of what is answered, 0 to 1.
        coverage: Wished share of examples that is answered, above 0, up to 1.

    Raises:
        UsageError: Not exactly one of both is given, or it is out of range.

    Assumes: validation and later examples come from one population.
    Breaks when: few validation examples are answered: the accuracy elsewhere is then lower than wished about as often
        as higher, and rather more often, for it was picked. Verify it with `at_confidence` on test.
    Checked by: tests/measuring/test_coverage.py::test_a_wish_is_met_on_what_it_was_chosen_on

    Example:
        >>> logits = np.array([[2.0, 0.0], [1.0, 0.0]])
        >>> predictions = Predictions(("a", "b"), np.array([0, 1]), logits, ("x", "y"))
        >>> round(confidence_for(predictions, accuracy=0.9), 3), round(confidence_for(predictions, coverage=1.0), 3)
        (0.881, 0.731)
    """
    wish = accuracy if coverage is None else coverage
    if (accuracy is None) == (coverage is None) or wish is None or not 0 <= wish <= 1 or coverage == 0:
        raise UsageError(
            f"accuracy {accuracy} and coverage {coverage} are wished",
            expected="one of both, accuracy from 0 to 1 or coverage above 0 up to 1",
            fix="such as accuracy=0.95",
        )
    order = ranked(sureness(predictions), predictions.correct)
    answered, right = np.cumsum(order.positives + order.negatives), np.cumsum(order.positives)
    # What is wished in full must not fail by rounding, here and below.
    if coverage is not None:
        return float(order.probabilities[np.searchsorted(answered, coverage * len(predictions) * (1 - 1e-12))])
    met = np.flatnonzero(right >= wish * answered * (1 - 1e-12))
    return float(order.probabilities[met[-1]]) if len(met) else None


def _grouped_intervals(
    order: Ranked, ends: Int[np.ndarray, " cells"], groups: Int[np.ndarray, " examples"]
) -> Iterator[Interval]:
    """Of the accuracy up to each end; the sums of groups grow from one to the next, so that no example is met twice."""
    _, position = np.unique(groups, return_inverse=True)
    n_groups = int(position.max()) + 1
    cell = np.searchsorted(ends, order.step)
    by_cell = np.split(np.argsort(cell, kind="stable"), np.cumsum(np.bincount(cell))[:-1])
    hits, n = np.zeros(n_groups, np.int64), np.zeros(n_groups, np.int64)
    for members in by_cell:
        hits += np.bincount(position[members[order.is_positive[members]]], minlength=n_groups)
        n += np.bincount(position[members], minlength=n_groups)
        yield grouped_share(hits, n)


def _interval(
    correct: Bool[np.ndarray, " examples"],
    is_answered: Bool[np.ndarray, " examples"],
    groups: Int[np.ndarray, " examples"] | None,
) -> Interval:
    """Of the share of the answered that is right, of independent examples or of groups."""
    hits = correct[is_answered].astype(np.float64)
    if groups is None or len(np.unique(groups[is_answered])) == len(hits):
        return wilson(int(hits.sum()), len(hits))
    position = np.unique(groups[is_answered], return_inverse=True)[1]
    return grouped_share(np.bincount(position, weights=hits).astype(np.int64), np.bincount(position))
