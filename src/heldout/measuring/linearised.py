"""Intervals of scores that are no shares, from what each example moves the score by, alone or in groups."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.measuring.grouped import feared_effect, n_equal_groups, t_quantile
from heldout.measuring.intervals import Interval, normal_quantile, wilson


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """A score from 0 to 1, and what each example moves it by.

    Attributes:
        value: The score; nan where it is not defined.
        influence: Its derivative by the weight of each example, up to a constant for each class.
        n_guard: Where hardly an example is misplaced, the interval to fear is that of a share of so many.
        telling: Kinds of examples; where one of them has hardly any, the influences cannot show how far the score may
            be off.
    """

    value: float
    influence: Float[np.ndarray, " examples"]
    n_guard: float
    telling: tuple[Bool[np.ndarray, " examples"], ...]


def interval_of(
    found: Linearised, strata: Int[np.ndarray, " examples"], *, groups: Int[np.ndarray, " examples"] | None = None
) -> Interval:
    """A 95 % interval, normal on the scale of the logit, and drawn towards Wilson's where few examples are telling.

    Args:
        found: The score, not nan.
        strata: The class of each example; how many there are of each is taken as given.
        groups: Examples with the same number belong together; None where each is by itself.
    """
    moved = centred(found.influence, strata)
    factor, effect, n_telling = 1.0, 1.0, min(int(mask.sum()) for mask in found.telling)
    method = "linearised on the logit scale, 95%"
    if groups is not None and len(np.unique(groups)) < len(groups):
        n_telling = min(len(np.unique(groups[mask])) for mask in found.telling)
        factor, effect = cost_of_groups(moved, groups, n_telling)
        method = f"{method}, over {len(np.unique(groups)):,} groups"
    reach = normal_quantile(0.95) * factor * float(np.sqrt((moved**2).sum()))
    low, high = _on_logit_scale(found.value, reach)
    guard = wilson(found.value * found.n_guard / effect, found.n_guard / effect)
    # The weight of what few misplaced examples could not show; as in `feared_effect`.
    low += min(guard.low - low, 0.0) / (1 + n_telling)
    high += max(guard.high - high, 0.0) / (1 + n_telling)
    return Interval(min(low, found.value), max(high, found.value), method)


def centred(
    influence: Float[np.ndarray, " examples"], strata: Int[np.ndarray, " examples"]
) -> Float[np.ndarray, " examples"]:
    """Influences around the mean of their stratum, such that the sum of squares is the variance of the score.

    Args:
        influence: What each example moves a score by.
        strata: The class of each example; how many there are of each is taken as given.
    """
    n_of = np.bincount(strata)
    mean = np.bincount(strata, weights=influence) / np.maximum(n_of, 1)
    return np.asarray((influence - mean[strata]) * np.sqrt(n_of / np.maximum(n_of - 1, 1))[strata])


def cost_of_groups(
    moved: Float[np.ndarray, " examples"], groups: Int[np.ndarray, " examples"], n_telling: int
) -> tuple[float, float]:
    """By how much groups widen an interval, and the design effect alone; both 1 at least.

    The effect is the variance of sums over groups relative to that of examples, or what has to be feared where few
    groups tell. The widening is its root, stretched by Student's t for as many equal groups.

    Args:
        moved: What each example moves the score by, around the mean.
        groups: Examples with the same number belong together.
        n_telling: How many groups hold an example that shows anything.

    Source:
        Liang, Zeger, Biometrika 73 (1986) 13; Kish, "Survey Sampling" (1965).
    """
    _, position, n = np.unique(groups, return_inverse=True, return_counts=True)
    sums, alone = np.bincount(position, weights=moved), float((moved**2).sum())
    seen = float((sums**2).sum()) * len(n) / max(len(n) - 1, 1) / alone if alone else 1.0
    effect = max(seen, feared_effect(n, n_telling), 1.0)
    return float(np.sqrt(effect)) * t_quantile(n_equal_groups(n) - 1) / normal_quantile(0.95), effect


def _on_logit_scale(value: float, reach: float) -> tuple[float, float]:
    """The ends of an interval that is symmetric for ln(value / (1 - value)); a point where that is infinite."""
    if not 0 < value < 1:
        return value, value
    middle, half = float(np.log(value / (1 - value))), reach / (value * (1 - value))
    return float(1 / (1 + np.exp(min(half - middle, 700.0)))), float(1 / (1 + np.exp(max(-half - middle, -700.0))))
