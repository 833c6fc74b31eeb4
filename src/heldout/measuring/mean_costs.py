"""What an answer costs on average, by the costs that were stated."""

import numpy as np
from jaxtyping import Float, Int

from heldout.measuring.intervals import loss_interval
from heldout.measuring.linearised import cost_of_groups
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import Score


def mean_cost(
    predictions: Predictions,
    costs: Float[np.ndarray, "classes classes"],
    *,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> Score:
    """The mean over examples of what their answers cost, 0 and up, with an interval of the mean.

    Args:
        predictions: With their decision.
        costs: Of deciding for a class (column) where another is true (row).
        groups: Examples with the same number belong together; None where each is by itself.

    Assumes: independent examples, or groups; classes as common as in this part.
    Breaks when: a dear mistake is so rare that none was seen.
    Checked by: tests/measuring/test_mean_costs.py::test_the_interval_covers_the_true_cost

    Example:
        >>> predictions = Predictions(("a", "b"), np.array([0, 1]), np.array([[2.0, 0.0], [1.0, 0.0]]), ("x", "y"))
        >>> mean_cost(predictions, np.array([[0.0, 1.0], [5.0, 0.0]])).value
        2.5
    """
    paid = costs[predictions.labels, predictions.predicted]
    value, wrong = float(paid.mean()), ~predictions.correct
    # What a mistake may cost that was not seen: the mean of all that there are, each as likely.
    possible = costs[~np.eye(len(costs), dtype=bool)]
    found = loss_interval(paid, wrong, loss_if_wrong=float(possible.mean()), highest=float(costs.max()))
    low, high, method = found.low, found.high, found.method
    if groups is not None and len(np.unique(groups)) < len(groups):
        n_telling = len(np.unique(groups[wrong])) if wrong.any() else 0
        factor, _ = cost_of_groups((paid - value) / len(paid), groups, n_telling)
        low, high = max(value - factor * (value - low), 0.0), min(value + factor * (high - value), float(costs.max()))
        method = f"{method}, over {len(np.unique(groups)):,} groups"
    return Score("mean_cost", value, low, high, len(predictions), method)
