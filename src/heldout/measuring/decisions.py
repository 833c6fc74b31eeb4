"""What is answered, given probabilities: the class of least expected cost, by a rule that is stated or chosen.

Probabilities say how likely each class is; a decision says what to do about it. Keeping the two apart lets the
probabilities stay honest where classes are rare, while the answers are what the user's costs ask for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from heldout.errors import UsageError, one_of
from heldout.measuring.costs import check_costs

RULES = ("likeliest", "balanced", "threshold", "costs")
# Expected costs are sums of at most a few thousand terms that are not negative, so that rounding moves them by less
# than this share of themselves; what lies closer together is a tie.
_TIE = 1e-12


@final
@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """How probabilities become one answer.

    Attributes:
        rule: `likeliest` (the largest probability), `balanced` (the largest probability relative to the class's share
            of train), `threshold` (two classes), or `costs`.
        costs: What deciding for a class (column) costs where another is true (row): finite, at least 0, and in each
            row nothing is cheaper than to be right.
        positive: The class that `threshold` is about; None where there are more than two classes.
        threshold: The positive class is decided for where its probability is at least so large; None where there are
            more than two classes.
        metric: What the rule was chosen by on validation; empty where it was stated.

    Raises:
        UsageError: The rule is not known, or costs, positive class or threshold cannot be meant.

    Example:
        >>> rule = at_threshold(0.2, positive=1)
        >>> rule.decide(np.log([[0.9, 0.1], [0.7, 0.3]])).tolist()
        [0, 1]
    """

    rule: str
    costs: Float[np.ndarray, "classes classes"]
    positive: int | None = field(default=None, kw_only=True)
    threshold: float | None = field(default=None, kw_only=True)
    metric: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise one_of("the rule of a decision", self.rule, RULES)
        check_costs(self.costs)
        _check_threshold(self)

    @property
    def n_classes(self) -> int:
        """How many classes there are to decide among."""
        return len(self.costs)

    def decide(self, log_probabilities: Float[np.ndarray, "examples classes"]) -> Int[np.ndarray, " examples"]:
        """The class decided for, of each example: of least expected cost, ties to the likelier, then to the first.

        The rule `threshold` decides for the positive class where exp(log probability) >= threshold, ties included.
        """
        if self.rule == "likeliest":
            return np.asarray(log_probabilities.argmax(axis=1))
        if self.rule == "threshold" and self.positive is not None and self.threshold is not None:
            is_positive = np.exp(log_probabilities[:, self.positive]) >= self.threshold
            return np.where(is_positive, self.positive, 1 - self.positive)
        expected = np.exp(log_probabilities) @ self.costs
        is_least = expected <= expected.min(axis=1, keepdims=True) * (1 + _TIE)
        return np.asarray(np.where(is_least, log_probabilities, -np.inf).argmax(axis=1))

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {
            "rule": self.rule,
            "costs": self.costs.tolist(),
            "positive": self.positive,
            "threshold": self.threshold,
            "metric": self.metric,
        }


def from_dict(record: Mapping[str, Any]) -> Decision:
    """The decision that `Decision.as_dict` wrote.

    Raises:
        UsageError: It is not of that form.

    Example:
        >>> from_dict(likeliest(3).as_dict()).decide(np.log([[0.2, 0.5, 0.3]])).tolist()
        [1]
    """
    known = {"rule", "costs", "positive", "threshold", "metric"}
    try:
        if set(record) != known:
            raise KeyError(*sorted(set(record) ^ known))
        costs = np.array(record["costs"], dtype=np.float64)
        positive = None if record["positive"] is None else int(record["positive"])
        threshold = None if record["threshold"] is None else float(record["threshold"])
        rule, metric = str(record["rule"]), str(record["metric"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"a decision cannot be read: {error!r}",
            expected=f"the keys {', '.join(sorted(known))}, with costs as rows of numbers",
            fix="take it from a run as it was written",
        ) from error
    return Decision(rule, costs, positive=positive, threshold=threshold, metric=metric)


def likeliest(n_classes: int, *, positive: int | None = None) -> Decision:
    """Decide for the largest probability: every mistake costs the same. For two classes that is a threshold of 0.5.

    Args:
        n_classes: At least two.
        positive: Which of two classes the threshold is told of; None for the second. No matter to what is decided.

    Example:
        >>> likeliest(2).threshold, likeliest(3).threshold
        (0.5, None)
    """
    return _of_costs("likeliest", 1.0 - np.eye(n_classes), positive)


def balanced(prior: Float[np.ndarray, " classes"], *, positive: int | None = None) -> Decision:
    """Decide for the largest probability relative to the class's share: what maximises balanced accuracy.

    A mistake costs 1 / share of the true class. It is what a model says by itself that was trained on balanced
    batches or with class weights.

    Args:
        prior: Share of each class in train, all above 0, summing to 1.
        positive: Which of two classes the threshold, its share, is told of; None for the rarer.

    Raises:
        UsageError: The shares are none.

    Example:
        >>> balanced(np.array([0.8, 0.2])).decide(np.log([[0.7, 0.3], [0.9, 0.1]])).tolist()
        [1, 0]
    """
    if prior.ndim != 1 or len(prior) < 2 or not (prior > 0).all() or abs(float(prior.sum()) - 1) > 1e-6:
        raise UsageError(
            f"the shares of the classes are {prior.tolist()}",
            expected="a number above 0 for each of at least two classes, summing to 1",
            fix="pass prior_of(counts of train)",
        )
    if len(prior) == 2 and positive is None:
        positive = 0 if prior[0] < prior[1] else 1
    return _of_costs("balanced", (1.0 - np.eye(len(prior))) / prior[:, None], positive)


def at_threshold(threshold: float, positive: int, *, metric: str = "") -> Decision:
    """Of two classes decide for the positive one where its probability is at least the threshold.

    Args:
        threshold: 0 (always) to 1 (only where it is certain).
        positive: 0 or 1.
        metric: What it was chosen by on validation; empty where it was stated.

    Raises:
        UsageError: The threshold is beyond 0 to 1, or the class is neither.

    Source:
        Elkan, "The Foundations of Cost-Sensitive Learning" (2001), section 2: the threshold t is best where missing a
        positive costs (1 - t) / t times what a false alarm does.

    Example:
        >>> at_threshold(0.1, positive=0).costs.tolist()
        [[0.0, 0.9], [0.1, 0.0]]
    """
    costs = np.zeros((2, 2))
    if positive in (0, 1):
        costs[1 - positive, positive], costs[positive, 1 - positive] = threshold, 1 - threshold
    else:
        costs = 1.0 - np.eye(2)  # for the error that names the class
    if not 0 <= threshold <= 1:
        raise _no_threshold(threshold)
    return Decision("threshold", costs, positive=positive, threshold=threshold, metric=metric)


def least_cost(costs: Float[np.ndarray, "classes classes"], *, positive: int | None = None) -> Decision:
    """Decide for the class whose expected cost is least.

    Args:
        costs: Rows by the true class, columns by the class decided for.
        positive: Which of two classes the threshold is told of; None for the second.

    Raises:
        UsageError: The costs cannot be meant.

    Example:
        >>> least_cost(np.array([[0.0, 1.0], [9.0, 0.0]])).threshold
        0.1
    """
    check_costs(costs)
    return _of_costs("costs", np.asarray(costs, np.float64), positive)


def in_words(decision: Decision, classes: tuple[str, ...]) -> str:
    """What is decided, as the end of a sentence that starts with "Decided for".

    Example:
        >>> in_words(at_threshold(0.2, positive=1), ("well", "sick"))
        'sick where its probability is at least 0.2, else well'
    """
    if decision.rule == "likeliest":
        return "the class with the largest probability"
    two = decision.positive is not None and decision.threshold is not None
    at = ""
    if decision.positive is not None and decision.threshold is not None:
        name, other = classes[decision.positive], classes[1 - decision.positive]
        at = f"{name} where its probability is at least {decision.threshold:.3g}, else {other}"
    if decision.rule == "threshold":
        return at
    rule = {
        "balanced": "the class whose probability is largest relative to its share of train",
        "costs": "the class with the least expected cost",
    }[decision.rule]
    return f"{rule}: {at}" if two else rule


def _no_threshold(threshold: float) -> UsageError:
    return UsageError(
        f"the threshold is {threshold!r}",
        expected="a probability, 0 to 1",
        fix="state how probable the positive class must be to be decided for, such as 0.2",
    )


def _check_threshold(decision: Decision) -> None:
    """Raise unless threshold and positive class are there for two classes, and are possible."""
    if decision.n_classes > 2:
        if decision.positive is not None or decision.threshold is not None or decision.rule == "threshold":
            raise UsageError(
                f"a threshold is set for {decision.n_classes} classes",
                expected="two classes",
                fix="state costs instead, such as --costs sick:well=10,well:sick=1",
            )
    elif decision.positive not in (0, 1):
        raise UsageError(
            f"the positive class is number {decision.positive}", expected="0 or 1", fix="name one of the two classes"
        )
    elif decision.threshold is None or not 0 <= decision.threshold <= 1:
        raise _no_threshold(float("nan") if decision.threshold is None else decision.threshold)


def _of_costs(rule: str, costs: Float[np.ndarray, "classes classes"], positive: int | None) -> Decision:
    """The decision with the threshold that its costs mean, where there are two classes."""
    if len(costs) != 2:
        return Decision(rule, costs, positive=positive)
    positive = 1 if positive is None else positive
    if positive not in (0, 1):
        return Decision(rule, costs, positive=positive)  # raises
    false_alarm = float(costs[1 - positive, positive] - costs[1 - positive, 1 - positive])
    miss = float(costs[positive, 1 - positive] - costs[positive, positive])
    # Where no mistake costs anything more than to be right, every example is a tie, which goes to the likelier.
    threshold = false_alarm / (false_alarm + miss) if false_alarm + miss else 0.5
    return Decision(rule, costs, positive=positive, threshold=threshold)
