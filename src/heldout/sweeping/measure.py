"""What a sweep ranks by: a share of right answers, or what the answers cost."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float

from heldout.measuring.comparison import Difference, FoldMean, mean_over_folds
from heldout.measuring.costs import read_costs
from heldout.plan_sections import DecisionPlan


@final
@dataclass(frozen=True, slots=True)
class Measure:
    """The score of a trial, and which way it is better.

    Attributes:
        metric: `accuracy`, `balanced_accuracy`, or `mean_cost`, the only one of which less is better.
        highest: The highest that it can be: 1, or the highest cost.
    """

    metric: str
    highest: float = 1.0

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


def measure_of(decision: DecisionPlan, classes: tuple[str, ...], *, is_imbalanced: bool) -> Measure:
    """What settings are ranked by: the mean cost where costs are stated, else what leads the scores of a run.

    Args:
        decision: Of all settings.
        classes: Names of the classes.
        is_imbalanced: Whether the largest has far more examples than the smallest.
    """
    if decision.costs:
        return Measure("mean_cost", float(read_costs(decision.costs, classes).max()))
    return Measure("balanced_accuracy" if is_imbalanced else "accuracy")
