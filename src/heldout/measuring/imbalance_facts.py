"""What was decided and what it comes to, beside the scores: curves, coverage, prediction sets, ready for JSON."""

from typing import Any

import numpy as np
from jaxtyping import Int

from heldout.measuring.conformal import conformal_sets, least_needed
from heldout.measuring.coverage import at_confidence, confidence_for, coverage_curve
from heldout.measuring.curves import curves_of
from heldout.measuring.decisions import Decision, in_words, likeliest
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import average_precision, roc_auc
from heldout.measuring.summary import is_imbalanced, positive_class, summarise
from heldout.measuring.thresholds import ThresholdCurve, curve_at

# What shares of prediction sets may miss; 1 in 10 and 1 in 20 by custom.
ALPHAS = (0.1, 0.05)
# Of more classes than this the rarest are shown: a figure of more curves cannot be read. Assumed.
MOST_CURVES = 10


def imbalance_facts(
    validation: Predictions,
    test: Predictions,
    *,
    decision: Decision | None,
    curve: ThresholdCurve | None = None,
    positive: int | None = None,
    generator: np.random.Generator,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> dict[str, Any]:
    """Everything about decisions and doubt that stands in scores.json.

    A million test rows of two classes take 3 s, twice that in groups, and `at_likeliest` as long as `summarise`.

    Args:
        validation: What thresholds and sets are chosen on, at its temperature.
        test: What they are judged on.
        decision: How the answers were decided on; None for the likeliest class.
        curve: How its threshold was chosen, where it was. Without it, that of a stated rule for two classes is made.
        positive: Of two classes the one that curves are of where the decision names none; None for the rarer one of
            validation. Nothing here is chosen by the labels of test.
        generator: For bootstraps.
        groups: Test examples with the same number belong together; None where each is by itself.

    Returns:
        `decision`, `at_likeliest` (None where that is the rule), `curves`, `coverage` and `conformal`.
    """
    validation, test = validation.with_decision(decision), test.with_decision(decision)
    groups = None if groups is None or len(np.unique(groups)) == len(groups) else groups
    if len(test.classes) == 2 and (decision is not None or positive is None):
        positive = positive_class(validation)
    return {
        "decision": decision_facts(validation, decision, curve=curve, positive=positive),
        "at_likeliest": _at_likeliest(test, generator, groups),
        "curves": {"classes": _curves(test, positive, generator, groups)},
        "coverage": _coverage(validation, test, groups),
        "conformal": [_conformal(validation, test, alpha, groups) for alpha in ALPHAS],
    }


def decision_facts(
    validation: Predictions, decision: Decision | None, *, curve: ThresholdCurve | None, positive: int | None
) -> dict[str, Any]:
    """The rule in words and numbers, and how its threshold does on validation.

    Args:
        validation: What the curve is of.
        decision: None for the likeliest class.
        curve: As for `imbalance_facts`.
        positive: The class that the threshold 0.5 of the likeliest is told of; None where there are more than two.
    """
    classes = validation.classes
    rule = decision or likeliest(len(classes), positive=positive)
    if curve is None and rule.rule != "likeliest":
        curve = _curve_of(validation, rule)
    return rule.as_dict() | {
        "words": in_words(rule, classes),
        "positive": None if rule.positive is None else classes[rule.positive],
        "curve": None if curve is None else curve.as_dict(),
    }


def _curve_of(validation: Predictions, rule: Decision) -> ThresholdCurve | None:
    """What the threshold of a rule that was stated does on validation; None where there is none to be shown."""
    if rule.positive is None or rule.threshold is None or len(np.unique(validation.labels)) < 2:
        return None
    by_cost = rule.rule == "costs"
    return curve_at(
        validation,
        metric="cost" if by_cost else "balanced_accuracy",
        positive=rule.positive,
        chosen=rule.threshold,
        costs=rule.costs if by_cost else None,
    )


def _at_likeliest(
    test: Predictions, generator: np.random.Generator, groups: Int[np.ndarray, " examples"] | None
) -> dict[str, Any] | None:
    """What the likeliest class would have scored; None where that is what was decided for."""
    if test.decision is None or test.decision.rule == "likeliest":
        return None
    # Which of two classes is the positive one stays as it was decided.
    plain = test.with_decision(likeliest(len(test.classes), positive=test.decision.positive))
    summary = summarise(plain, temperature=test.temperature, generator=generator, groups=groups).as_dict()
    return {name: summary[name] for name in ("scores", "per_class", "confusion")}


def _curves(
    test: Predictions,
    positive: int | None,
    generator: np.random.Generator,
    groups: Int[np.ndarray, " examples"] | None,
) -> list[dict[str, Any]]:
    """The curves of the positive of two classes, or of each class, at most the ten rarest that have an example."""
    n_of = np.bincount(test.labels, minlength=len(test.classes))
    if positive is not None:
        chosen = [positive]
    else:
        present = [index for index in np.argsort(n_of, kind="stable").tolist() if n_of[index]]
        chosen = sorted(present[:MOST_CURVES])
    found = []
    for index in chosen:
        probability, is_class = test.probabilities[:, index], test.labels == index
        both = curves_of(probability, is_class, generator=generator, groups=groups)
        if both:
            line = {
                "name": test.classes[index],
                "average_precision": average_precision(probability, is_class, groups=groups).as_dict(),
                "prevalence": float(is_class.mean()),
                "roc_auc": roc_auc(probability, is_class, groups=groups).as_dict(),
                "pr": both[0].as_dict(),
                "roc": both[1].as_dict(),
            }
            found.append(line)
    return found


def _coverage(
    validation: Predictions, test: Predictions, groups: Int[np.ndarray, " examples"] | None
) -> dict[str, Any]:
    """Accuracy against coverage, and the confidence at which on validation half as many of the answers are wrong."""
    wished = 1 - (1 - float(validation.correct.mean())) / 2
    confidence = confidence_for(validation, accuracy=wished) if wished < 1 else None
    chosen = None
    if confidence is not None:
        chosen = at_confidence(test, confidence, groups=groups).as_dict() | {"wished_accuracy": wished}
    return {"points": [point.as_dict() for point in coverage_curve(test, groups=groups)], "chosen": chosen}


def _conformal(
    validation: Predictions, test: Predictions, alpha: float, groups: Int[np.ndarray, " examples"] | None
) -> dict[str, Any]:
    """The prediction sets."""
    by_class = is_promised_by_class(validation, alpha)
    return conformal_sets(validation, test, alpha=alpha, by_class=by_class, groups=groups).as_dict()


def is_promised_by_class(validation: Predictions, alpha: float) -> bool:
    """Whether prediction sets promise their coverage to each class apart, or to all examples together.

    To each where classes are unlike in size and there are enough examples of each: a class with fewer than
    1 / alpha - 1 of them in validation would be in every set.

    Args:
        validation: What sets are sized on.
        alpha: The share of sets that may miss.
    """
    n_validation = np.bincount(validation.labels, minlength=len(validation.classes))
    return is_imbalanced(n_validation) and bool(n_validation.min() >= least_needed(alpha))
