"""The line of a linear neuron: where z = w1 x1 + w2 x2 + b is 0, how far from it a point is, and what moves it."""

import math
from dataclasses import dataclass
from fractions import Fraction

from heldout.anatomy.neurons.forms import Point, sign_of
from heldout.anatomy.neurons.neurons import as_float


@dataclass(frozen=True, slots=True)
class NeuronLine:
    """The points where z = w1 x1 + w2 x2 + b is 0.

    Attributes:
        kind: `line`, `plane` (z is 0 everywhere) or `empty` (nowhere).
        weights: w1 and w2.
        bias: b.
        length: Of the vector of weights: how much z grows a unit of distance, straight across the line.
        normal: The direction in which z grows, of length 1; None where both weights are 0.
        slope: -w1 / w2; None for an upright line and where there is none.
        intercepts: Where it crosses the x1 axis, and where the x2 axis; None where it does not, or lies in it.
        origin_distance: Of the origin, signed: above 0 where z is; None where there is no line.
        foot: The point of the line that is nearest to the origin.
    """

    kind: str
    weights: Point
    bias: float
    length: float
    normal: Point | None
    slope: float | None
    intercepts: tuple[float | None, float | None]
    origin_distance: float | None
    foot: Point | None

    @property
    def angle(self) -> float | None:
        """From the x1 axis to the normal, in degrees, above -180 to 180."""
        return None if self.normal is None else math.degrees(math.atan2(self.normal[1], self.normal[0]))


@dataclass(frozen=True, slots=True)
class PointFacts:
    """A point beside the line.

    Attributes:
        point: Where it is.
        value: z there.
        side: The sign of z there, exactly.
        distance: To the line, with that sign; None where there is no line.
        foot: The point of the line that is nearest to it.
    """

    point: Point
    value: float
    side: int
    distance: float | None
    foot: Point | None


@dataclass(frozen=True, slots=True)
class Move:
    """A change of the bias alone.

    Attributes:
        change: What is added to b.
        bias: What b becomes.
        shift: How far the line moves, as a vector: against the normal where b grows.
        upwards: What is added where it crosses the x2 axis; None for an upright line.
        rightwards: What is added where it crosses the x1 axis; None for a level line.
    """

    change: float
    bias: float
    shift: Point
    upwards: float | None
    rightwards: float | None


def line_of(first: Fraction, second: Fraction, bias: Fraction) -> NeuronLine:
    """The line of a linear neuron.

    Args:
        first: w1.
        second: w2.
        bias: b.

    Raises:
        UsageError: A measure is beyond what floats hold.

    Example:
        >>> found = line_of(Fraction(3), Fraction(4), Fraction(-10))
        >>> found.length, found.origin_distance, found.slope, found.foot
        (5.0, -2.0, -0.75, (1.2, 1.6))
    """
    weights, constant = (as_float(first), as_float(second)), as_float(bias)
    length = math.hypot(*weights)
    if not (first or second):
        kind = "empty" if bias else "plane"
        return NeuronLine(kind, weights, constant, length, None, None, (None, None), None, None)
    squared = first**2 + second**2
    return NeuronLine(
        "line",
        weights,
        constant,
        length,
        normal=(weights[0] / length, weights[1] / length),
        slope=as_float(-first / second) if second else None,
        intercepts=(as_float(-bias / first) if first else None, as_float(-bias / second) if second else None),
        origin_distance=constant / length,
        foot=(as_float(-bias * first / squared), as_float(-bias * second / squared)),
    )


def beside(first: Fraction, second: Fraction, bias: Fraction, point: tuple[Fraction, Fraction]) -> PointFacts:
    """A point beside the line of a linear neuron; which side it is on is decided exactly.

    Args:
        first: w1.
        second: w2.
        bias: b.
        point: x1 and x2.

    Source:
        The signed distance (w . x + b) / |w|: Hesse's normal form.

    Example:
        >>> found = beside(Fraction(3), Fraction(4), Fraction(-10), (Fraction(0), Fraction(0)))
        >>> found.side, found.distance, found.foot
        (-1, -2.0, (1.2, 1.6))
    """
    place = as_float(point[0]), as_float(point[1])
    value = first * point[0] + second * point[1] + bias
    if not (first or second):
        return PointFacts(place, as_float(value), sign_of(value), None, None)
    share = value / (first**2 + second**2)
    foot = as_float(point[0] - share * first), as_float(point[1] - share * second)
    distance = as_float(value) / math.hypot(as_float(first), as_float(second))
    return PointFacts(place, as_float(value), sign_of(value), distance, foot)


def moved(first: Fraction, second: Fraction, bias: Fraction, *, change: Fraction) -> Move:
    """What a change of the bias does to the line.

    Args:
        first: w1; not 0 if w2 is.
        second: w2.
        bias: b.
        change: What is added to it.

    Example:
        >>> moved(Fraction(0), Fraction(-2), Fraction(1), change=Fraction(1)).upwards  # up, because w2 < 0
        0.5
    """
    assert first or second, "without weights there is no line to move"
    squared = first**2 + second**2
    return Move(
        as_float(change),
        as_float(bias + change),
        (as_float(-change * first / squared), as_float(-change * second / squared)),
        as_float(-change / second) if second else None,
        as_float(-change / first) if first else None,
    )
