"""One threshold neuron over the units: the exact interval of its biases, the safest of them, and what is redundant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from heldout.anatomy.regions.threshold_units import Interval, Neuron, Pattern, Step, UnitValues


@dataclass(frozen=True, slots=True)
class Readout:
    """A neuron that tells wanted cells from the others, with every bias that does.

    Attributes:
        neuron: With the safest bias: the middle of the interval.
        interval: Every bias that is right on all cells.
        margin: How far from 0 the sum stays on every cell with the safest bias.
        lowest_wanted: The lowest weighted sum, without the bias, of a cell in which the neuron is to fire; None where
            there is no such cell.
        highest_unwanted: The highest of a cell in which it is not to fire; None where there is none.
    """

    neuron: Neuron
    interval: Interval
    margin: Fraction
    lowest_wanted: Fraction | None
    highest_unwanted: Fraction | None

    @property
    def tolerance(self) -> Fraction | None:
        """By how much every input may be wrong at once; None where no input counts."""
        total = sum(abs(weight) for weight in self.neuron.weights)
        return self.margin / total if total else None


def readout_of(
    weights: Sequence[Fraction],
    wanted: Collection[Pattern],
    unwanted: Collection[Pattern],
    *,
    values: UnitValues,
    step: Step,
) -> Readout | None:
    """The biases with which these weights are right, or None where there is none.

    Args:
        weights: One a unit.
        wanted: The patterns for which the neuron is to fire.
        unwanted: Those for which it is not; not both sets may be empty.
        values: What a unit gives out.
        step: Where the neuron fires.

    Example:
        >>> zero_one = UnitValues(Fraction(0), Fraction(1))
        >>> strip = readout_of((Fraction(2), Fraction(-2)), [(True, False)], [(False, False), (True, True)],
        ...     values=zero_one, step=Step.AT_ZERO)
        >>> str(strip.interval), strip.neuron.bias
        ('[-2, 0)', Fraction(-1, 1))
    """
    without_bias = Neuron(tuple(weights), Fraction(0))
    lowest = min((without_bias.sum_of(values.of(pattern)) for pattern in wanted), default=None)
    highest = max((without_bias.sum_of(values.of(pattern)) for pattern in unwanted), default=None)
    assert lowest is not None or highest is not None, "there are no cells at all"
    if lowest is not None and highest is not None and lowest <= highest:
        return None
    fires_at_zero = step is Step.AT_ZERO
    interval = Interval(
        None if lowest is None else -lowest,
        None if highest is None else -highest,
        low_closed=fires_at_zero and lowest is not None,
        high_closed=not fires_at_zero and highest is not None,
    )
    # Where only one end is there, the bias stays as far from it as one unit's step would put it.
    room = interval.length or abs(values.difference)
    bias = interval.low + room / 2 if interval.low is not None else (interval.high or Fraction(0)) - room / 2
    return Readout(Neuron(tuple(weights), bias), interval, room / 2, lowest, highest)


def counting_weights(n_units: int, values: UnitValues) -> tuple[Fraction, ...]:
    """Weights with which a sum counts the units that fire: 1, or -1 where firing lowers the output."""
    return (Fraction(values.direction),) * n_units


def counting_interval(n_units: int, k: int, *, values: UnitValues, step: Step) -> Interval:
    """The biases for "at least k of n units fire" where every one of the 2^n patterns may come.

    With the values 0 and 1 that is [-k, -(k-1)) for H(z) = [z >= 0]; AND is k = n and OR is k = 1.

    Args:
        n_units: How many units.
        k: 1 to `n_units`.
        values: What a unit gives out.
        step: Where the neuron fires.

    Example:
        >>> str(counting_interval(5, 5, values=UnitValues(Fraction("0.2"), Fraction("0.5")), step=Step.ABOVE_ZERO))
        '(-2.5, -2.2]'
    """
    enough, one_less = ([True] * count + [False] * (n_units - count) for count in (k, k - 1))
    weights = counting_weights(n_units, values)
    found = readout_of(weights, [tuple(enough)], [tuple(one_less)], values=values, step=step)
    assert found is not None, "more units that fire give a larger sum"
    return found.interval


def redundant_units(patterns: Collection[Pattern]) -> tuple[int, ...]:
    """The half-planes that AND does without: where all others hold, they hold too. Each by itself, not together.

    Args:
        patterns: The patterns that a point of the plane has.
    """
    n_units = len(next(iter(patterns)))
    every = (True,) * n_units
    return tuple(unit for unit in range(n_units) if (*every[:unit], False, *every[unit + 1 :]) not in patterns)


def units_to_keep(patterns: Collection[Pattern]) -> tuple[int, ...]:
    """As few half-planes as have the same common part: the last redundant one goes first.

    Args:
        patterns: The patterns that a point of the plane has.
    """
    kept = list(range(len(next(iter(patterns)))))
    for unit in reversed(tuple(kept)):
        others = [each for each in kept if each != unit]
        if others and not any(not pattern[unit] and all(pattern[each] for each in others) for pattern in patterns):
            kept = others
    return tuple(kept)


def contradicting_units(patterns: Collection[Pattern]) -> tuple[int, ...]:
    """The smallest set of half-planes without a common point; empty where all have one.

    Source: Helly's theorem: in the plane three are enough to tell.

    Args:
        patterns: The patterns that a point of the plane has.
    """
    n_units = len(next(iter(patterns)))
    if (True,) * n_units in patterns:
        return ()
    sets = (units for size in (2, 3) for units in combinations(range(n_units), size))
    return next(units for units in sets if not any(all(pattern[unit] for unit in units) for pattern in patterns))
