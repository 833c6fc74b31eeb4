"""The numbers of a comparison -> sentences, the same on the page, in the terminal and in compare.json."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from heldout.reporting.wording import amount, count, times


def points(share: float) -> str:
    """A difference of shares in points of a hundred.

    Example:
        >>> points(0.031), points(-0.0004)
        ('3.1', '0.0')
    """
    shown = f"{100 * share:.1f}"
    return "0.0" if shown == "-0.0" else shown


def p_value(p: float) -> str:
    """A p-value as a reader expects it.

    Example:
        >>> p_value(0.03861), p_value(0.00004), p_value(1.0)
        ('p = 0.039', 'p < 0.001', 'p = 1.000')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def interval_words(difference: Mapping[str, Any], *, sign: int = 1) -> str:
    """The interval of a difference, seen from the side that `sign` says (-1: from B's)."""
    low, high = (difference["low"], difference["high"]) if sign > 0 else (-difference["high"], -difference["low"])
    return f"95 % interval {points(low)} to {points(high)}"


def saved_words(costs: Mapping[str, Any]) -> str:
    """What A saves against B, or B against A.

    Example:
        >>> saved_words({"value": -0.25, "low": -0.4, "high": -0.1, "p": 0.001})
        'B saves 0.25 an answer, 95 % interval 0.1 to 0.4, p = 0.001'
    """
    first, sign = ("A", 1) if costs["value"] >= 0 else ("B", -1)
    low, high = sorted((sign * costs["low"], sign * costs["high"]))
    value, low_words, high_words = (amount(each) for each in (sign * costs["value"], low, high))
    return f"{first} saves {value} an answer, 95 % interval {low_words} to {high_words}, {p_value(costs['p'])}"


def words_of_comparison(content: Mapping[str, Any]) -> dict[str, str]:
    """What the numbers of a comparison say.

    Args:
        content: As in compare.json, whole but for these words.

    Returns:
        `verdict` (a title), `difference`, `table`, `power`, `needed`, `meaning`, `opened`: a sentence or two each.
    """
    comparison, noun = content["comparison"], noun_of_comparison(content)
    return {
        "verdict": _verdict(content),
        "difference": _difference(content),
        "table": _table(comparison),
        "power": _power(comparison, noun),
        "needed": _needed(content),
        "meaning": "This compares two fitted models, not two recipes: with another seed each recipe gives another "
        "model. Which recipe is better takes several seeds of both: heldout sweep.",
        "opened": _opened(content["test_openings"]),
    }


def noun_of_comparison(content: Mapping[str, Any]) -> str:
    """What an example of the two runs is called; earlier versions compared pictures alone and did not say.

    Example:
        >>> noun_of_comparison({"things": "rows"}), noun_of_comparison({})
        ('row', 'picture')
    """
    return str(content.get("things", "pictures")).removesuffix("s")


def _verdict(content: Mapping[str, Any]) -> str:
    comparison, better = content["comparison"], content["better"]
    if better:
        if costs := content.get("mean_cost"):
            return f"{better.upper()} is better: its answers cost {amount(abs(costs['value']))} less each"
        balanced = content.get("balanced_accuracy")
        value = (balanced or comparison["difference"])["value"]
        by = " of balanced accuracy" if balanced else ""
        return f"{better.upper()} is better by {points(abs(value))} points{by}"
    if comparison["n_only_a"] == comparison["n_only_b"] == 0:
        return f"Both get the very same {noun_of_comparison(content)}s right"
    return "This test set cannot tell which is better"


def _difference(content: Mapping[str, Any]) -> str:
    comparison, difference = content["comparison"], content["comparison"]["difference"]
    value, n_apart = difference["value"], comparison["n_only_a"] + comparison["n_only_b"]
    examples = count(comparison["n"], noun_of_comparison(content))
    if comparison["n_groups"]:
        examples += f" (in {count(comparison['n_groups'], 'group')})"
    if value == 0:
        told = f"Both get equally many right: difference 0.0 points, {interval_words(difference)}"
    else:
        first, second, sign = ("A", "B", 1) if value > 0 else ("B", "A", -1)
        reach = interval_words(difference, sign=sign)
        told = f"{first} gets {points(abs(value))} points more right than {second}, {reach}"
    told += f", {p_value(difference['p'])}. On {n_apart:,} of {examples} only one of the two is right."
    balanced = content.get("balanced_accuracy")
    if balanced and value * balanced["value"] < 0:
        told += " By balanced accuracy it is the other way round, which leads where classes are unlike in size."
    if costs := content.get("mean_cost"):
        told += f" By the costs that both decided by, {saved_words(costs)}."
    if not content["better"] and not balanced and not costs and difference["p"] < 0.05:
        told += " The test says that there is a difference and the interval does not: too close to call."
    return told


def _table(comparison: Mapping[str, Any]) -> str:
    return (
        f"both right {comparison['n_both']:,}, only A {comparison['n_only_a']:,}, "
        f"only B {comparison['n_only_b']:,}, neither {comparison['n_neither']:,}"
    )


def _power(comparison: Mapping[str, Any], noun: str) -> str:
    detectable = comparison["detectable"]
    if not isfinite(detectable) or detectable >= 1:
        return f"{count(comparison['n'], noun)} are too few to show any difference in 4 of 5 tries."
    return (
        f"The smallest true difference that such a test set shows in 4 of 5 tries is {points(detectable)} points, "
        f"where two models disagree as often as these."
    )


def _needed(content: Mapping[str, Any]) -> str:
    comparison = content["comparison"]
    noun = noun_of_comparison(content)
    needed, n, value = comparison["n_needed"], comparison["n"], comparison["difference"]["value"]
    if needed is None or value == 0:
        return f"No difference was seen that more {noun}s could settle."
    seen = f"a difference of {points(abs(value))} points, the one seen,"
    if needed <= n:
        return f"To show {seen} in 4 of 5 tries takes about {count(needed, noun)}: these are enough."
    return f"To show {seen} in 4 of 5 tries takes about {count(needed, noun)}: {needed - n:,} more than there are."


def _opened(n: int) -> str:
    return (
        f"By the end of the later run this held-out part had been opened {times(n)}; comparing opens nothing. If you "
        "keep the better one because of these numbers, its test score is a little too good."
    )
