"""How a run answers, as numbers added to its logits: then the largest is the answer, and every boundary is straight."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heldout.measuring.decisions import Decision, in_words
from heldout.measuring.prior import from_focal
from heldout.training.row_classifier import RowClassifier

# As many as float64 has digits.
_HALVINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule of decision.

    Attributes:
        words: What is decided for.
        shift: Added to the logits; minus infinity for a class that is never answered.
        is_exact: Whether the largest of the sums is the run's answer. Costs that depend on both the true class and the
            answer bend the boundary within a cell; the shift is 0 then, and the likeliest class is told instead.
    """

    words: str
    shift: Float[np.ndarray, " classes"]
    is_exact: bool = True


def rule_of(classifier: RowClassifier) -> Rule:
    """The rule of a run.

    A threshold t on the probability of one of two classes is a lead of ln(t / (1 - t)) in the logits. Of more classes
    each may have a weight of its own: what a mistake on it costs.
    """
    decision, n = classifier.decision, len(classifier.classes)
    if decision is None or decision.rule == "likeliest":
        return Rule("the class with the largest probability", np.zeros(n))
    words = in_words(decision, classifier.classes)
    if n == 2:
        return Rule(words, _of_threshold(decision, classifier.temperature, classifier.gamma))
    weights = _weights_of(decision)
    if weights is None or (classifier.gamma and len(set(weights.tolist())) > 1):
        return Rule(words, np.zeros(n), is_exact=False)
    with np.errstate(divide="ignore"):  # the class that may be missed for nothing is never answered
        return Rule(words, classifier.temperature * np.log(weights / weights.max()))


def _of_threshold(decision: Decision, temperature: float, gamma: float) -> Float[np.ndarray, " two"]:
    threshold, positive = decision.threshold, decision.positive
    assert threshold is not None, "of two classes every decision has a threshold"
    assert positive is not None, "and a class that it is told of"
    shift = np.zeros(2)
    if threshold <= 0 or threshold >= 1:
        shift[1 - positive if threshold <= 0 else positive] = -np.inf
        return shift
    lead = temperature * float(np.log(threshold) - np.log1p(-threshold))
    shift[positive] = -_before_focal(lead, gamma)
    return shift


def _before_focal(lead: float, gamma: float) -> float:
    """The lead of one of two logits which becomes this lead once the focal loss is undone."""
    if not gamma:
        return lead

    # What the lead becomes grows with it and is never smaller in size, so it lies between 0 and what it is to become.
    nearest, farthest = 0.0, lead
    for _ in range(_HALVINGS):
        middle = (nearest + farthest) / 2
        moved = from_focal(np.array([[middle, 0.0]]), gamma)[0]
        if abs(moved[0] - moved[1]) < abs(lead):
            nearest = middle
        else:
            farthest = middle
    return farthest


def _weights_of(decision: Decision) -> Float[np.ndarray, " classes"] | None:
    """What a mistake on each class costs, where that does not depend on what it is taken for; else None."""
    costs, n = decision.costs, decision.n_classes
    extra = costs - np.diagonal(costs)[:, None]
    others = extra[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return others[:, 0] if bool((others == others[:, :1]).all()) else None
