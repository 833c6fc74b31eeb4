"""Sets of classes that hold the true one as often as wished: split-conformal prediction."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.errors import UsageError
from heldout.measuring.grouped import grouped_share
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import Score, finite_or_none, share


@final
@dataclass(frozen=True, slots=True)
class SetsOfClass:
    """How the sets of one class's examples fare.

    Attributes:
        name: The class.
        n: Its examples.
        coverage: Share of its examples whose set holds it.
        mean_size: Classes in a set of its examples, on average; nan where it has none.
    """

    name: str
    n: int
    coverage: Score
    mean_size: float


@final
@dataclass(frozen=True, slots=True)
class PredictionSets:
    """What sets of classes come to on one part.

    Attributes:
        alpha: The share of examples whose set may miss the true class.
        by_class: Whether that is promised for each class apart (Mondrian), or for all examples together.
        coverage: Share of the examples whose set holds the true class; 1 - alpha or more is expected.
        mean_size: Classes in a set, on average.
        n_empty: Sets without any class: these examples are like none of validation.
        sizes: How many sets there are of each size that occurs, the smallest first.
        per_class: One line a class, in their order.
    """

    alpha: float
    by_class: bool
    coverage: Score
    mean_size: float
    n_empty: int
    sizes: tuple[tuple[int, int], ...]
    per_class: tuple[SetsOfClass, ...]

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON; None where a number is not defined."""
        return {
            "alpha": self.alpha,
            "by_class": self.by_class,
            "coverage": self.coverage.as_dict(),
            "mean_size": self.mean_size,
            "n_empty": self.n_empty,
            "sizes": [list(each) for each in self.sizes],
            "per_class": [
                {
                    "name": line.name,
                    "n": line.n,
                    "coverage": line.coverage.as_dict(),
                    "mean_size": finite_or_none(line.mean_size),
                }
                for line in self.per_class
            ],
        }


def least_probabilities(
    validation: Predictions, *, alpha: float, by_class: bool = False
) -> Float[np.ndarray, " classes"]:
    """How probable each class must at least be to be in a set, from the examples of validation.

    The probabilities of the n examples' labels are sorted, and the ceil((n + 1) (1 - alpha))-th largest is what a class
    in a set must have. Where there are too few examples for that it is 0: every class is in every set.

    Args:
        validation: Examples that neither trained the model nor will be scored; at their temperature.
        alpha: The share of sets that may miss, above 0 and below 1.
        by_class: Look at the examples of each class apart. A class needs 1 / alpha - 1 of them to tell anything.

    Raises:
        UsageError: Alpha is out of range.

    Assumes: validation and later examples are exchangeable, as when they were split at random.
    Breaks when: they are not (groups parted between them, another camera, another time); the temperature, or the
        epoch, was chosen on the same examples, which makes the sets a little too small.
    Checked by: tests/measuring/test_conformal.py::test_sets_hold_the_true_class_as_often_as_they_say

    Source:
        Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World" (2005), sections 2.2 and 4.5 (Mondrian);
        Lei et al., "Distribution-Free Predictive Inference for Regression" (2018), theorem 2.

    Example:
        >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]])
        >>> validation = Predictions(tuple("abc"), np.array([0, 0, 0]), logits, ("x", "y"))
        >>> least_probabilities(validation, alpha=0.5).round(3).tolist()
        [0.8, 0.8]
    """
    if not 0 < alpha < 1:
        raise UsageError(f"alpha is {alpha}", expected="above 0 and below 1", fix="such as 0.1 for 90 % coverage")
    n_classes = len(validation.classes)
    of_labels = validation.probabilities[np.arange(len(validation)), validation.labels]
    if not by_class:
        return np.full(n_classes, _least(of_labels, alpha))
    return np.array([_least(of_labels[validation.labels == index], alpha) for index in range(n_classes)])


def sets_of(predictions: Predictions, least: Float[np.ndarray, " classes"]) -> Bool[np.ndarray, "examples classes"]:
    """Which classes are in the set of each example.

    Args:
        predictions: Of any examples, at the temperature of the validation ones.
        least: As `least_probabilities` gives it.
    """
    return np.asarray(predictions.probabilities >= least)


def conformal_sets(
    validation: Predictions,
    test: Predictions,
    *,
    alpha: float,
    by_class: bool = False,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> PredictionSets:
    """The sets of the test part, as validation says how large they must be, and how often they hold the true class.

    The interval of the coverage is about these very sets: what another validation part would give scatters besides, by
    a standard deviation of sqrt(alpha (1 - alpha) / n of validation).

    Args:
        validation: As for `least_probabilities`.
        test: What is scored.
        alpha: As for `least_probabilities`.
        by_class: As for `least_probabilities`.
        groups: Test examples with the same number belong together; None where each is by itself.

    Raises:
        UsageError: Alpha is out of range.

    Assumes, breaks when, checked by: as `least_probabilities`.

    Example:
        >>> logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]])
        >>> part = Predictions(tuple("abc"), np.array([0, 0, 0]), logits, ("x", "y"))
        >>> found = conformal_sets(part, part, alpha=0.5)
        >>> round(found.coverage.value, 3), found.sizes, found.n_empty
        (0.667, ((0, 1), (1, 2)), 1)
    """
    in_set = sets_of(test, least_probabilities(validation, alpha=alpha, by_class=by_class))
    sizes, held = in_set.sum(axis=1), in_set[np.arange(len(test)), test.labels]
    values, counts = np.unique(sizes, return_counts=True)
    return PredictionSets(
        alpha=alpha,
        by_class=by_class,
        coverage=_coverage(held, groups),
        mean_size=float(sizes.mean()),
        n_empty=int(np.count_nonzero(sizes == 0)),
        sizes=tuple(zip(values.tolist(), counts.tolist(), strict=True)),
        per_class=tuple(_line(test, index, sizes, held, groups) for index in range(len(test.classes))),
    )


def least_needed(alpha: float) -> int:
    """How many examples it takes to leave a class out of any set: 1 / alpha - 1.

    Example:
        >>> least_needed(0.1), least_needed(0.05), least_needed(0.3)
        (9, 19, 3)
    """
    return int(np.ceil((1 / alpha - 1) * (1 - 1e-12)))


def _least(of_labels: Float[np.ndarray, " examples"], alpha: float) -> float:
    """What at least 1 - alpha of exchangeable later ones are expected to reach; 0 where there are too few examples."""
    n = len(of_labels)
    # Rounding must not demand one more: (9 + 1) x (1 - 0.1) is 9.
    place = int(np.ceil((n + 1) * (1 - alpha) * (1 - 1e-12)))
    return float(np.partition(of_labels, n - place)[n - place]) if place <= n else 0.0


def _line(
    test: Predictions,
    index: int,
    sizes: Int[np.ndarray, " examples"],
    held: Bool[np.ndarray, " examples"],
    groups: Int[np.ndarray, " examples"] | None,
) -> SetsOfClass:
    """The line of one class."""
    of_class = test.labels == index
    n = int(of_class.sum())
    coverage = _coverage(held[of_class], None if groups is None else groups[of_class])
    return SetsOfClass(test.classes[index], n, coverage, float(sizes[of_class].mean()) if n else float("nan"))


def _coverage(held: Bool[np.ndarray, " examples"], groups: Int[np.ndarray, " examples"] | None) -> Score:
    """The share that holds, with Wilson's interval, of independent examples or of groups."""
    score = share("coverage", int(held.sum()), len(held))
    if groups is None or len(np.unique(groups)) == len(groups):
        return score
    position = np.unique(groups, return_inverse=True)[1]
    interval = grouped_share(np.bincount(position, weights=held).astype(np.int64), np.bincount(position))
    return Score(score.name, score.value, interval.low, interval.high, score.n, interval.method)
