"""What a sweep ranks by: a share of right answers, or what the answers cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.measuring.comparison import Difference, FoldMean, mean_over_folds
from heldout.measuring.costs import read_costs
from heldout.measuring.selection import Gains
from heldout.plan_sections import DecisionPlan
from heldout.sweeping.ledger import TrialResult


@dataclass(frozen=True, slots=True, eq=False)
class JudgedOn:
    """The validation examples of one seed: the class of each, and a number that those that belong together share."""

    labels: Int[np.ndarray, " validation"]
    groups: Int[np.ndarray, " validation"]


@final
@dataclass(frozen=True, slots=True)
class Measure:
    """The score of a trial, and which way it is better.

    Attributes:
        metric: `accuracy`, `balanced_accuracy`, or `mean_cost`, the only one of which less is better.
        highest: The highest that it can be: 1, or the highest cost.
        costs: Of deciding for a class (column) where another is true (row); empty where the score is no cost.
    """

    metric: str
    highest: float = 1.0
    costs: tuple[tuple[float, ...], ...] = ()

    @property
    def is_cost(self) -> bool:
        """Whether less is better."""
        return self.metric == "mean_cost"

    def as_shares(self, scores: Float[np.ndarray, " *any"]) -> Float[np.ndarray, " *any"]:
        """Scores from 0 to 1 of which more is better: of a cost the share of the highest one that it saves.

        Example:
            >>> Measure("mean_cost", 10.0).as_shares(np.array([0.0, 2.5])).tolist()
            [1.0, 0.75]
        """
        return np.clip(1 - scores / self.highest, 0.0, 1.0) if self.is_cost else scores

    def is_told_by(self, result: TrialResult) -> bool:
        """Whether a trial kept what its score was made of: of more than two classes older versions kept no answers."""
        return not self.is_cost or len(self.costs) == 2 or len(result.answered) == 2 * result.n_validation > 0

    def gains(self, results: Sequence[TrialResult], part: JudgedOn) -> Gains:
        """How good each answer is, so that the mean over the examples is the score as a share.

        Of balanced accuracy to first order: the mean is the score, and what an example adds is what the score gains by
        it, so that recalls of few examples vary as much as they do.

        Args:
            results: A trial of each setting, all on this part.
            part: What they were judged on.
        """
        correct = np.stack([result.is_correct() for result in results])
        if self.metric == "accuracy":
            return correct
        if self.metric == "balanced_accuracy":
            return _towards_recalls(correct, part.labels)
        costs = np.array(self.costs)
        if len(costs) == 2:
            answered = np.where(correct, part.labels, 1 - part.labels)
        else:
            answered = np.stack([np.frombuffer(result.answered, "<i2") for result in results])
        return self.as_shares(costs[part.labels, answered]).astype(np.float32)

    def less_optimism(self, score: float, optimism: float) -> float:
        """A score without what choosing added to it, by the optimism in its units."""
        return min(self.highest, score + optimism) if self.is_cost else max(0.0, score - optimism)

    def in_units(self, difference: Difference) -> Difference:
        """A difference of such shares, A minus B, in the units of the score; above 0 A is better, or saves so much."""
        if not self.is_cost:
            return difference
        value, low, high = (self.highest * each for each in (difference.value, difference.low, difference.high))
        return replace(difference, value=value, low=low, high=high)

    def mean(self, scores: Float[np.ndarray, " folds"], *, n_train: int, n_validation: int) -> FoldMean:
        """The mean score over folds, with the interval of `mean_over_folds`."""
        found = mean_over_folds(self.as_shares(scores), n_train=n_train, n_validation=n_validation)
        if not self.is_cost:
            return found
        value, low, high = (self.highest * (1 - each) for each in (found.value, found.high, found.low))
        return replace(found, value=value, low=low, high=high)


def _towards_recalls(
    correct: Bool[np.ndarray, "settings validation"], labels: Int[np.ndarray, " validation"]
) -> Float[np.ndarray, "settings validation"]:
    """The influence of each example on the mean of the recalls of the classes that are there, plus that mean."""
    there, labels = np.unique(labels, return_inverse=True)
    counts = np.bincount(labels)
    recalls = np.stack([np.bincount(labels, row, minlength=len(there)) for row in correct]) / counts
    # Answers lie nearer to their own recall than to the true one: by (n - 1) / n in variance, for classes of n.
    spread = np.sqrt(counts / np.maximum(counts - 1, 1))
    weights = (spread * len(labels) / (len(there) * counts))[labels]
    influence = weights * (correct - recalls[:, labels])
    gains: Float[np.ndarray, "settings validation"] = recalls.mean(axis=1, keepdims=True) + influence
    return gains.astype(np.float32)


def measure_of(decision: DecisionPlan, classes: tuple[str, ...], *, is_imbalanced: bool) -> Measure:
    """What settings are ranked by: the mean cost where costs are stated, else what leads the scores of a run.

    Args:
        decision: Of all settings.
        classes: Names of the classes.
        is_imbalanced: Whether the largest has far more examples than the smallest.
    """
    if decision.costs:
        costs = read_costs(decision.costs, classes)
        return Measure("mean_cost", float(costs.max()), tuple(tuple(row) for row in costs.tolist()))
    return Measure("balanced_accuracy" if is_imbalanced else "accuracy")
