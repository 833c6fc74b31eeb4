"""All numbers of one part (validation or test), ready for JSON."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from heldout.measuring.calibration import (
    ReliabilityBin,
    ece_null_band,
    expected_calibration_error,
    reliability_bins,
    widened_null_band,
)
from heldout.measuring.grouped import GroupSums, grouped_intervals, grouped_share, sums_by_group
from heldout.measuring.intervals import Interval
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import average_precision, macro_average_precision, mcc
from heldout.measuring.scores import (
    ClassScore,
    Score,
    accuracy,
    balanced_accuracy,
    brier,
    confusion_matrix,
    losses_of,
    macro_f1,
    negative_log_likelihood,
    per_class,
)

# Largest over smallest class beyond which accuracy no longer leads. Convention of this project, assumed.
IMBALANCE = 3
# What leads then, in this order; the rest follows as it stands.
LEADING = ("balanced_accuracy", "macro_f1", "average_precision", "mcc")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a model scored on one part.

    Attributes:
        n: Examples in the part.
        scores: The headline first: accuracy; or, where the largest class of the part has more than three times the
            examples of its smallest, balanced accuracy, macro-F1, average precision and Matthews correlation (mcc).
            Then the rest.
        per_class: One line a class, in the order of the classes.
        confusion: Counts, rows by label, columns by predicted class.
        reliability: Bins of confidence that hold an example.
        ece: Expected calibration error, 15 bins, at `temperature`.
        ece_null: Where it lies 95 times in 100 for a perfectly calibrated model with these confidences.
        temperature: What logits were divided by for NLL, Brier, reliability and ECE.
        average_precision_baseline: What guessing scores, the prevalence (for more than two classes its mean over those
            that have an example); None where the average precision is not among the scores.
    """

    n: int
    scores: tuple[Score, ...]
    per_class: tuple[ClassScore, ...]
    confusion: list[list[int]]
    reliability: tuple[ReliabilityBin, ...]
    ece: float
    ece_null: tuple[float, float]
    temperature: float
    average_precision_baseline: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON; None stands where a number is not defined.

        The baseline of the average precision is there where that is.
        """
        baseline = self.average_precision_baseline
        extra = {} if baseline is None else {"average_precision_baseline": baseline}
        return {
            "n": self.n,
            "scores": [score.as_dict() for score in self.scores],
            "per_class": [line.as_dict() for line in self.per_class],
            "confusion": self.confusion,
            "reliability": [bin.as_dict() for bin in self.reliability],
            "ece": self.ece,
            "ece_null": list(self.ece_null),
            "temperature": self.temperature,
        } | extra


def summarise(
    predictions: Predictions,
    *,
    temperature: float,
    generator: np.random.Generator,
    groups: Int[np.ndarray, " examples"] | None = None,
    positive: int | None = None,
) -> Summary:
    """Every score of one part, with intervals.

    Where examples come in groups, the intervals are those of `grouped.py`, and the null band is widened. Of the ECE
    itself there is no interval, grouped or not: it is biased up, and read against its band.

    Args:
        predictions: Of the part's examples, with their decision. Their own temperature is replaced, so it is applied
            once.
        temperature: As fitted on validation by `heldout.measuring.calibration.fit_temperature`.
        generator: For the bootstrap and the null band; a fresh one of the same seed gives the same summary.
        groups: Examples with the same number belong together; None where each is by itself.
        positive: Of two classes the one that the average precision is of; None for that of the decision, or the rarer.

    Example:
        >>> predictions = Predictions(("a", "b"), np.array([0, 1]), np.array([[2.0, 0.0], [1.0, 0.0]]), ("x", "y"))
        >>> summary = summarise(predictions, temperature=1.0, generator=np.random.default_rng(0))
        >>> [score.name for score in summary.scores][:2], summary.confusion
        (['accuracy', 'balanced_accuracy'], [[1, 0], [1, 0]])
    """
    calibrated = predictions.with_temperature(temperature)
    confusion = confusion_matrix(calibrated)
    scores: tuple[Score, ...] = (
        accuracy(confusion),
        balanced_accuracy(confusion, generator=generator),
        macro_f1(confusion, generator=generator),
        negative_log_likelihood(calibrated),
        brier(calibrated),
    )
    lines = per_class(confusion, calibrated.classes)
    null_band = ece_null_band(calibrated, generator=generator)
    groups = None if groups is None or len(np.unique(groups)) == len(groups) else groups
    if groups is not None:
        sums = sums_by_group(
            groups,
            calibrated.labels,
            predicted=calibrated.predicted,
            losses=losses_of(calibrated),
            n_classes=len(calibrated.classes),
        )
        scores, lines = _grouped_scores(scores, sums, generator), _grouped_lines(lines, sums)
        null_band = widened_null_band(calibrated, groups, null_band, generator=generator)
    baseline = None
    if is_imbalanced(confusion.sum(axis=1)):
        of_order, baseline = order_score(calibrated, groups=groups, positive=positive)
        scores = (*scores, of_order, mcc(calibrated, groups=groups))
        scores = tuple(sorted(scores, key=lambda each: (*LEADING, each.name).index(each.name)))
    return Summary(
        n=len(calibrated),
        scores=scores,
        per_class=lines,
        confusion=confusion.tolist(),
        reliability=reliability_bins(calibrated, groups=groups),
        ece=expected_calibration_error(calibrated),
        ece_null=null_band,
        temperature=temperature,
        average_precision_baseline=baseline,
    )


def order_score(
    predictions: Predictions, *, groups: Int[np.ndarray, " examples"] | None = None, positive: int | None = None
) -> tuple[Score, float]:
    """The average precision, and what guessing scores: of the positive class of two, else the mean over classes.

    Args:
        predictions: Of the examples, at their temperature.
        groups: Examples with the same number belong together; None where each is by itself.
        positive: As for `summarise`.
    """
    labels, probabilities = predictions.labels, predictions.probabilities
    if len(predictions.classes) == 2:
        positive = positive_class(predictions) if positive is None else positive
        is_positive = labels == positive
        return average_precision(probabilities[:, positive], is_positive, groups=groups), float(is_positive.mean())
    return macro_average_precision(probabilities, labels, groups=groups), 1 / len(np.unique(labels))


def positive_class(predictions: Predictions) -> int:
    """Which of two classes is the positive one: as the decision says, else the rarer; of equally rare ones the last."""
    decision = predictions.decision
    if decision is not None and decision.positive is not None:
        return decision.positive
    n_first = int(np.count_nonzero(predictions.labels == 0))
    return 0 if 2 * n_first < len(predictions) else 1


def _grouped_scores(scores: tuple[Score, ...], sums: GroupSums, generator: np.random.Generator) -> tuple[Score, ...]:
    """The same scores with intervals that know of the groups."""
    plain = {score.name: Interval(score.low, score.high, score.method) for score in scores}
    intervals = grouped_intervals(sums, plain, generator=generator)
    return tuple(_with_interval(score, intervals[score.name]) for score in scores)


def _grouped_lines(lines: tuple[ClassScore, ...], sums: GroupSums) -> tuple[ClassScore, ...]:
    """The same lines with intervals of recall and precision that know of the groups."""
    mended = []
    for number, line in enumerate(lines):
        cells = sums.cell_class == number
        hits = sums.hits[cells]
        recall, precision = (grouped_share(hits, each[cells]) for each in (sums.labelled, sums.predicted))
        mended.append(
            replace(
                line, recall=_with_interval(line.recall, recall), precision=_with_interval(line.precision, precision)
            )
        )
    return tuple(mended)


def _with_interval(score: Score, interval: Interval) -> Score:
    return replace(score, low=interval.low, high=interval.high, method=interval.method)


def is_imbalanced(examples: Int[np.ndarray, " classes"]) -> bool:
    """Whether the largest class has more than three times the examples of the smallest that has any.

    Args:
        examples: How many each class has; some at least.
    """
    present = examples[examples > 0]
    return bool(present.max() > IMBALANCE * present.min())
