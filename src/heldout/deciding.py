"""How a class is decided on once the probabilities are known: stated in the plan, or chosen on validation."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from heldout.errors import UsageError, nearest
from heldout.measuring.costs import read_costs
from heldout.measuring.decisions import Decision, at_threshold, balanced, least_cost
from heldout.measuring.predictions import Predictions
from heldout.measuring.prior import prior_of
from heldout.measuring.thresholds import ThresholdCurve, choose_threshold
from heldout.plan import Plan
from heldout.plan_checks import METRICS
from heldout.plan_sections import DecisionPlan
from heldout.training.settings import LEVELLING


def check_decision(decision: DecisionPlan, classes: tuple[str, ...]) -> None:
    """Refuse, before anything is trained, what cannot be decided among these classes.

    Raises:
        UsageError: A threshold where there are more than two classes, an unknown class, or costs that are none.
    """
    if decision.positive and decision.positive not in classes:
        raise UsageError(
            f"the positive class is {decision.positive!r}{nearest(decision.positive, classes)}",
            expected=f"one of the {len(classes):,} classes of the data",
            fix="correct decision.positive, or leave it out for the rarer class",
        )
    wants_two = decision.threshold not in ("", "likeliest", "balanced") or decision.positive_weight > 0
    if wants_two and len(classes) != 2:
        named = f"threshold {decision.threshold}" if decision.threshold else "a positive_weight"
        raise UsageError(
            f"the plan has {named}, and the data has {len(classes):,} classes",
            expected="two classes: a threshold is on the probability of one of them",
            fix="leave it out; --threshold balanced and --costs work with any number of classes",
        )
    if decision.costs:
        read_costs(decision.costs, classes)


def check_batches(plan: Plan, n_classes: int) -> None:
    """Refuse, before anything is looked at, batches that cannot hold one example of each class.

    Raises:
        UsageError: Balanced batches are wanted, and are smaller than there are classes.
    """
    training = plan.training
    if plan.imbalance == "balanced-batch" and training is not None and training.batch_size < n_classes:
        raise UsageError(
            f"balanced batches of {training.batch_size} are wanted, and the data has {n_classes:,} classes",
            expected=f"batches of {n_classes:,} examples at least, one of each class",
            fix=f"such as --batch-size {n_classes}, or --imbalance weights",
        )


def positive_of(decision: DecisionPlan, classes: tuple[str, ...], counts: Int[np.ndarray, " classes"]) -> int:
    """The class that a threshold is about: as the plan says, or the one with fewest training examples.

    Of equally rare ones it is the last, as in "0" and "1", "no" and "yes".
    """
    if decision.positive:
        return classes.index(decision.positive)
    return len(counts) - 1 - int(np.argmin(counts[::-1]))


def decide(
    plan: Plan, predictions: Predictions, counts: Int[np.ndarray, " classes"]
) -> tuple[Decision | None, ThresholdCurve | None]:
    """The rule of a run, and how its threshold was chosen, where it was.

    Args:
        plan: Its decision and imbalance count.
        predictions: On validation, calibrated.
        counts: Of the training examples.

    Returns:
        None for the likeliest class.
    """
    decision, classes = plan.decision, predictions.classes
    positive = positive_of(decision, classes, counts) if len(classes) == 2 else None
    if decision.costs:
        return least_cost(read_costs(decision.costs, classes), positive=positive), None
    if decision.threshold in METRICS:
        assert positive is not None, "a threshold is for two classes"
        return choose_threshold(predictions, metric=decision.threshold, positive=positive)  # type: ignore[arg-type]
    if decision.threshold not in ("", "likeliest", "balanced"):
        assert positive is not None, "a threshold is for two classes"
        return at_threshold(float(decision.threshold), positive), None
    return stated(decision.threshold, plan.imbalance, counts, positive=positive), None


def stated(
    threshold: str, imbalance: str, counts: Int[np.ndarray, " classes"], *, positive: int | None = None
) -> Decision | None:
    """The rule where nothing has to be chosen on validation: what training with weights or balanced batches is for.

    Args:
        threshold: `likeliest`, `balanced`, or empty for what suits the imbalance.
        imbalance: As in the plan.
        counts: Of the training examples.
        positive: Which of two classes a threshold is told of.
    """
    is_balanced = threshold == "balanced" or (not threshold and imbalance in LEVELLING)
    if not is_balanced:
        return None
    decision = balanced(prior_of(counts), positive=positive)
    if counts.all():
        return decision
    # To miss a class that train has not got costs nothing: relative to a share of none, any probability is large.
    return replace(decision, costs=np.where(counts[:, None] > 0, decision.costs, 0.0))


def class_weights_of(
    decision: DecisionPlan, classes: tuple[str, ...], counts: Int[np.ndarray, " classes"]
) -> Float[np.ndarray, " classes"]:
    """How much an example of each class counts in `weighted_accuracy`."""
    weights = np.ones(len(classes))
    weights[positive_of(decision, classes, counts)] = decision.positive_weight
    return weights


def decision_words(plan: Plan) -> dict[str, Any]:
    """What the plan says of rare classes and decisions, for scores.json."""
    return {
        "imbalance": plan.imbalance,
        "focal_gamma": plan.focal_gamma if plan.imbalance == "focal" else None,
        "positive_weight": plan.decision.positive_weight or None,
    }
