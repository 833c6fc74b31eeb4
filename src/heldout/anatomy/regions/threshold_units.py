"""Networks of threshold units: their parts, and what they answer, in exact arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.numbers import Point, plain

Pattern = tuple[bool, ...]


class Step(StrEnum):
    """Where the threshold function H(z) is 1."""

    AT_ZERO = ">=0"
    ABOVE_ZERO = ">0"

    def fires(self, z: Fraction) -> bool:
        """H(z)."""
        return z >= 0 if self is Step.AT_ZERO else z > 0


@dataclass(frozen=True, slots=True)
class UnitValues:
    """What a hidden unit gives out: `off` where H is 0 and `on` where H is 1; they differ."""

    off: Fraction
    on: Fraction

    @property
    def difference(self) -> Fraction:
        """What firing adds to the output of a unit."""
        return self.on - self.off

    @property
    def direction(self) -> int:
        """1 where firing raises the output, -1 where it lowers it."""
        return 1 if self.on > self.off else -1

    def of(self, pattern: Sequence[bool]) -> tuple[Fraction, ...]:
        """The outputs of units of which some fire."""
        return tuple(self.on if fires else self.off for fires in pattern)


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers between two ends, which belong to it or do not.

    Attributes:
        low: None where it goes on for ever.
        high: None where it goes on for ever.
        low_closed: Whether `low` belongs to it.
        high_closed: Whether `high` belongs to it.

    Example:
        >>> ends = Interval(Fraction(-4), Fraction(-3), low_closed=True, high_closed=False)
        >>> str(ends), Fraction(-4) in ends, Fraction(-3) in ends, ends.middle
        ('[-4, -3)', True, False, Fraction(-7, 2))
    """

    low: Fraction | None
    high: Fraction | None
    low_closed: bool
    high_closed: bool

    def __contains__(self, number: Fraction) -> bool:
        above = self.low is None or number > self.low or (number == self.low and self.low_closed)
        below = self.high is None or number < self.high or (number == self.high and self.high_closed)
        return above and below

    def __str__(self) -> str:
        low = "(-infinity" if self.low is None else f"{'[' if self.low_closed else '('}{plain(self.low)}"
        high = "infinity)" if self.high is None else f"{plain(self.high)}{']' if self.high_closed else ')'}"
        return f"{low}, {high}"

    @property
    def length(self) -> Fraction | None:
        """From end to end; None where it has not two."""
        return None if self.low is None or self.high is None else self.high - self.low

    @property
    def middle(self) -> Fraction | None:
        """None where it has not two ends."""
        return None if self.low is None or self.high is None else (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Neuron:
    """A threshold neuron: H(weights . inputs + bias)."""

    weights: tuple[Fraction, ...]
    bias: Fraction

    def sum_of(self, inputs: Sequence[Fraction]) -> Fraction:
        """What its threshold sees: the weighted sum and the bias."""
        products = (weight * each for weight, each in zip(self.weights, inputs, strict=True) if weight)
        return sum(products, self.bias)


@dataclass(frozen=True, slots=True)
class Network:
    """A threshold unit a half-plane, and layers of threshold neurons above them, down to one.

    Attributes:
        half_planes: The hidden units of the first layer.
        values: What every hidden unit gives out; the last neuron gives H itself, 0 or 1.
        step: Where H is 1.
        layers: The layers above the half-planes; the last has one neuron.
    """

    half_planes: tuple[HalfPlane, ...]
    values: UnitValues
    step: Step
    layers: tuple[tuple[Neuron, ...], ...]

    def pattern_at(self, point: Point) -> Pattern:
        """Which half-planes' units fire at a point."""
        return tuple(self.step.fires(half_plane.at(point)) for half_plane in self.half_planes)

    def answers(self, pattern: Pattern) -> bool:
        """What the last neuron says when these units of the first layer fire."""
        fired = pattern
        for layer in self.layers:
            inputs = self.values.of(fired)
            fired = tuple(self.step.fires(neuron.sum_of(inputs)) for neuron in layer)
        return fired[0]

    def answers_at(self, point: Point) -> bool:
        """What the last neuron says at a point."""
        return self.answers(self.pattern_at(point))
