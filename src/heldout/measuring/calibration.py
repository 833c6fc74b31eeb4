"""Whether probabilities can be believed: temperature, calibration error, reliability bins."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from heldout.measuring.grouped import grouped_share
from heldout.measuring.intervals import BLOCK_NUMBERS, Interval, wilson
from heldout.measuring.predictions import Predictions

# As in Guo et al. (2017); errors are comparable only at the same number of bins.
N_BINS = 15
# Wider than any temperature of a trained network known to us (0.5 to 6 in Guo et al., 2017); assumed.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
# Confidences within 1/100 of a bin share one probability in the null simulation: its band then depends on
# at most 1,500 counts, however many examples there are, and moves by less than its own noise.
CELLS_PER_BIN = 100
N_SIMULATIONS = 2000
# Rows of logits worked on at once: 1,024 x 100 classes in float64 are 0.8 MB and stay in the cache.
BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Examples of about one confidence, and how often they were right.

    Attributes:
        low: Confidences lie above this ...
        high: ... and up to this.
        n: How many examples there are, at least 1.
        mean_confidence: Mean probability of the predicted class.
        accuracy: Share predicted right.
        accuracy_low: Lower end of its 95 % interval, Wilson's or that of groups.
        accuracy_high: Upper end.
    """

    low: float
    high: float
    n: int
    mean_confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return asdict(self)


def fit_temperature(logits: Float[np.ndarray, "examples classes"], labels: Int[np.ndarray, " examples"]) -> float:
    """The temperature that minimises the NLL of these examples, from 0.05 to 20; validation examples only.

    The NLL is convex in 1 / temperature; its slope is brought to 0 by Newton's method inside a bracket.
    Logits that say nothing (all equal in every row) give 1. Where no example is wrong the NLL falls for ever
    as the temperature goes to 0: nothing seen speaks against certainty, and a later error would cost without
    bound. Then, and only then, each label gets probability 1 - 1 / (n + 2) and the others share the rest,
    which is Platt's rule: n examples without an error are worth no more confidence than that.

    Assumes: validation and later examples come from one population, and one factor mends all of them.
    Breaks when: few validation examples, above all few errors: at n = 100 the fit scatters (sd) by 13 % at
        79 % accuracy, 22 % at 94 %, 58 % at 99 %, and by half of that at n = 400 (measured 2026-11-22);
        or the scored examples are those it was fitted to (their ECE and NLL are optimistic).
    Checked by: tests/measuring/test_calibration.py::test_temperature_is_where_scipy_finds_the_minimum

    Source:
        Guo et al., "On Calibration of Modern Neural Networks" (2017), section 4.2; Platt,
        "Probabilistic outputs for support vector machines" (1999), section 2.2, for the smoothed targets.

    Example:
        >>> logits = np.array([[4.0, 0.0]] * 4)
        >>> round(fit_temperature(logits, np.array([0, 0, 0, 1])), 3)
        3.641
    """
    # Shifted so that each row's largest is 0: the label's then is 0 where it is right, below 0 where not.
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    if not shifted.any():
        return 1.0
    n, n_classes = shifted.shape
    target = shifted[np.arange(n), labels]
    if not target.any():
        target = shifted.sum(axis=1) / (n_classes - 1) / (n + 2)
    return 1 / _root_of_slope(shifted, float(target.mean()))


def expected_calibration_error(predictions: Predictions, n_bins: int = N_BINS) -> float:
    """Mean gap between confidence and accuracy over bins of equal width, weighted by examples, 0 to 1.

    Bins hold confidences above their lower and up to their upper end. Biased up: never read it without
    `ece_null_band`.

    Assumes: only the probability of the predicted class matters.
    Breaks when: few examples; gaps of opposite sign inside a bin cancel.
    Checked by: tests/measuring/test_calibration.py::test_ece_is_the_sum_worked_by_hand

    Source:
        Guo et al. (2017), eq. 3.

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[0.0, 0.0]]), ("x", "y"))
        >>> expected_calibration_error(predictions)
        0.5
    """
    bins = _cells(predictions.confidence, n_bins)
    gap = np.bincount(bins, weights=predictions.correct - predictions.confidence, minlength=n_bins)
    return float(np.abs(gap).sum() / len(predictions))


def ece_null_band(
    predictions: Predictions,
    *,
    generator: np.random.Generator,
    n_bins: int = N_BINS,
    n_simulations: int = N_SIMULATIONS,
) -> tuple[float, float]:
    """Where the ECE of a perfectly calibrated model with these very confidences lies 95 times in 100.

    An ECE within it is no evidence of miscalibration; one above it is. Each simulation draws anew which
    examples are right, with their confidence as the probability.

    Assumes: independent examples; confidences taken as given.
    Breaks when: the temperature was fitted to these same examples (their ECE then lies low in the band).
    Checked by: tests/measuring/test_interval_coverage.py::test_ece_null_band_holds_calibrated_models

    Source:
        Consistency sampling: Broecker, Smith, "Increasing the Reliability of Reliability Diagrams" (2007).
        Departure: probabilities are averaged within 1/100 of a bin, see `CELLS_PER_BIN`.

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[0.0, 0.0]]), ("x", "y"))
        >>> ece_null_band(predictions, generator=np.random.default_rng(0))
        (0.5, 0.5)
    """
    confidence = predictions.confidence
    cells, index, n = np.unique(_cells(confidence, n_bins * CELLS_PER_BIN), return_inverse=True, return_counts=True)
    expected = np.bincount(index, weights=confidence)
    gaps = np.zeros((n_bins, n_simulations))
    for cell, n_cell, expected_right in zip(cells.tolist(), n.tolist(), expected.tolist(), strict=True):
        right = generator.binomial(n_cell, min(expected_right / n_cell, 1.0), size=n_simulations)
        gaps[cell // CELLS_PER_BIN] += right - expected_right
    errors = np.abs(gaps).sum(axis=0) / len(predictions)
    low, high = np.quantile(errors, [0.025, 0.975])
    return float(low), float(high)


def widened_null_band(
    predictions: Predictions,
    groups: Int[np.ndarray, " examples"],
    band: tuple[float, float],
    *,
    generator: np.random.Generator,
    n_bins: int = N_BINS,
) -> tuple[float, float]:
    """The null band of examples that come in groups: as `ece_null_band` gives it, or wider where groups show it.

    What the examples of a group have in common is not in the confidences, so it is taken from what happened: in each
    simulation every group keeps its gaps between right and confident, with their signs all kept or all turned. The
    ends are the outer ones of these simulations and of `band`, for where next to nothing is wrong the gaps are small
    whatever the groups do.

    Args:
        predictions: Of the examples.
        groups: Examples with the same number belong together.
        band: For independent examples.
        generator: Where the random numbers come from.
        n_bins: As for the ECE.

    Assumes: groups drawn independently.
    Covers: 95 to 98 % of calibrated models with 15 to 100 groups, where the band for independent examples holds 42 to
        78 % (measured 2026-11-22, 200 data sets each); 89 % with 12 groups whose examples are much alike.
    Breaks when: there are fewer groups than that; or the model is far off, which makes the band wider than that of a
        calibrated one (the ECE then still lies above it, unless one or two groups hold most of the examples).
    Checked by: tests/measuring/test_calibration.py::test_the_null_band_of_groups_holds_calibrated_models

    Source:
        The wild cluster bootstrap: Cameron, Gelbach, Miller, "Bootstrap-based improvements for inference with
        clustered errors" (2008), for sums a bin; that it serves for the ECE is measured, not published.

    Example:
        >>> predictions = Predictions(("a", "b"), np.array([0, 0]), np.zeros((2, 2)), ("x", "y"))
        >>> widened_null_band(predictions, np.array([7, 7]), (0.0, 0.1), generator=np.random.default_rng(0))
        (0.0, 0.5)
    """
    _, position = np.unique(groups, return_inverse=True)
    n_groups = int(position.max()) + 1
    cells = position * n_bins + _cells(predictions.confidence, n_bins)
    gaps = np.bincount(cells, weights=predictions.correct - predictions.confidence, minlength=n_groups * n_bins)
    n_rows = max(1, BLOCK_NUMBERS // n_groups)
    errors = []
    for start in range(0, N_SIMULATIONS, n_rows):
        signs = generator.integers(2, size=(min(n_rows, N_SIMULATIONS - start), n_groups)) * 2.0 - 1.0
        errors.append(np.abs(signs @ gaps.reshape(n_groups, n_bins)).sum(axis=1) / len(predictions))
    low, high = np.quantile(np.concatenate(errors), [0.025, 0.975])
    return min(band[0], float(low)), max(band[1], float(high))


def reliability_bins(
    predictions: Predictions, n_bins: int = N_BINS, *, groups: Int[np.ndarray, " examples"] | None = None
) -> tuple[ReliabilityBin, ...]:
    """The bins of equal width that hold an example, from low confidence to high, with Wilson intervals.

    Args:
        predictions: Of the examples.
        n_bins: How many bins there are over 0 to 1.
        groups: Examples with the same number belong together, and the intervals are those of `grouped_share`; None
            where each is by itself.

    Assumes: independent examples, or groups, of about one probability of being right within a bin.
    Breaks when: bins are read together: in half of all plots at least one of 15 intervals misses.
    Checked by: tests/reference/test_scores_against_sklearn.py::test_reliability_bins_are_scikit_learns_curve

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[0.0, 0.0]]), ("x", "y"))
        >>> [(bin.n, bin.mean_confidence, bin.accuracy) for bin in reliability_bins(predictions)]
        [(1, 0.5, 1.0)]
    """
    confidence = predictions.confidence
    bins = _cells(confidence, n_bins)
    n = np.bincount(bins, minlength=n_bins)
    total = np.bincount(bins, weights=confidence, minlength=n_bins)
    right = np.bincount(bins, weights=predictions.correct, minlength=n_bins)

    def interval(index: int) -> Interval:
        if groups is None:
            return wilson(int(right[index]), int(n[index]))
        inside = bins == index
        position = np.unique(groups[inside], return_inverse=True)[1]
        if position.max() + 1 == n[index]:
            return wilson(int(right[index]), int(n[index]))
        hits = np.bincount(position, weights=predictions.correct[inside]).astype(np.int64)
        return grouped_share(hits, np.bincount(position))

    return tuple(
        _reliability_bin(index, n_bins, int(n[index]), float(total[index]), int(right[index]), interval(index))
        for index in np.flatnonzero(n).tolist()
    )


def _reliability_bin(
    index: int, n_bins: int, n: int, total_confidence: float, n_right: int, interval: Interval
) -> ReliabilityBin:
    """One bin from its sums."""
    return ReliabilityBin(
        low=index / n_bins,
        high=(index + 1) / n_bins,
        n=n,
        mean_confidence=total_confidence / n,
        accuracy=n_right / n,
        accuracy_low=interval.low,
        accuracy_high=interval.high,
    )


def _cells(confidence: Float[np.ndarray, " examples"], n_cells: int) -> Int[np.ndarray, " examples"]:
    """Which of the cells of equal width over (0, 1] each confidence falls into; upper ends belong to it."""
    return np.asarray(np.clip(np.ceil(confidence * n_cells).astype(np.int64) - 1, 0, n_cells - 1))


def _root_of_slope(shifted: Float[np.ndarray, "examples classes"], target: float) -> float:
    """1 / temperature where the NLL is smallest, between the bounds; `target` is the mean label logit."""
    low, high = 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE
    if _slope_and_curvature(shifted, target, low)[0] >= 0:
        return low
    if _slope_and_curvature(shifted, target, high)[0] <= 0:
        return high
    inverse = 1.0
    for _ in range(100):  # 5 to 15 steps are the rule
        slope, curvature = _slope_and_curvature(shifted, target, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        before, inverse = inverse, inverse - slope / curvature if curvature > 0 else high
        if not low < inverse < high:
            inverse = float(np.sqrt(low * high))
        if abs(inverse - before) <= 1e-10 * before:
            break
    return inverse


def _slope_and_curvature(
    shifted: Float[np.ndarray, "examples classes"], target: float, inverse: float
) -> tuple[float, float]:
    """First and second derivative of the mean NLL by 1 / temperature, a block of rows at a time."""
    first_sum = curvature_sum = 0.0
    for start in range(0, len(shifted), BLOCK_ROWS):
        block = shifted[start : start + BLOCK_ROWS]
        weights = np.exp(block * inverse)
        weights /= weights.sum(axis=1, keepdims=True)
        weighted = weights * block
        first = weighted.sum(axis=1)
        first_sum += float(first.sum())
        curvature_sum += float((weighted * block).sum() - (first**2).sum())
    return first_sum / len(shifted) - target, curvature_sum / len(shifted)
