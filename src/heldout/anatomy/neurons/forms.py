"""A polynomial of second degree with exact numbers: its centre, and the axes along which it is a sum of squares."""

import math
from dataclasses import dataclass
from fractions import Fraction

from heldout.anatomy.neurons.neurons import Quadratic, as_float

Point = tuple[float, float]
X_Y: tuple[Point, Point] = ((1.0, 0.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Form:
    """The polynomial first u^2 + 2 mixed u v + second v^2 + slope . (u, v) + constant."""

    first: Fraction
    mixed: Fraction
    second: Fraction
    slope: tuple[Fraction, Fraction]
    constant: Fraction

    @classmethod
    def of(cls, quadratic: Quadratic) -> "Form":
        """Its form; all its parts must be numbers."""
        first, product, second, *slope, constant = (each.value for each in quadratic.parts)
        return cls(first, product / 2, second, (slope[0], slope[1]), constant)

    @property
    def is_linear(self) -> bool:
        """Whether nothing is squared."""
        return not (self.first or self.mixed or self.second)

    @property
    def determinant(self) -> Fraction:
        """The product of the eigenvalues."""
        return self.first * self.second - self.mixed**2

    @property
    def trace(self) -> Fraction:
        """The sum of the eigenvalues."""
        return self.first + self.second

    @property
    def signs(self) -> tuple[int, int]:
        """Of the two weights, in the order of `principal`."""
        first, second, mean = sign_of(self.first), sign_of(self.second), sign_of(self.trace)
        if not self.mixed:
            return first, second
        product = sign_of(self.determinant)
        if product < 0:
            return 1, -1
        # Both of the sign of their mean; where their product is 0 it is the one nearer to 0 that is.
        other = mean * product
        return (mean, other) if mean > 0 else (other, mean)

    @property
    def flat(self) -> tuple[Fraction, Fraction] | None:
        """A direction in which the squares do not change; None where there is none."""
        if self.determinant:
            return None
        return (-self.mixed, self.first) if self.first else (Fraction(1), Fraction(0))

    @property
    def has_centre(self) -> bool:
        """Whether there is a point about which it is symmetric."""
        flat = self.flat
        if flat is None:
            return True
        return not self.is_linear and flat[0] * self.slope[0] + flat[1] * self.slope[1] == 0

    @property
    def centre(self) -> tuple[Fraction, Fraction]:
        """The point of symmetry; where it is a whole line, its point nearest to the origin."""
        u, v = self.slope
        if determinant := self.determinant:
            along = (self.mixed * v - self.second * u, self.mixed * u - self.first * v)
            return along[0] / (2 * determinant), along[1] / (2 * determinant)
        return -u / (2 * self.trace), -v / (2 * self.trace)

    @property
    def at_centre(self) -> Fraction:
        """Its value at the centre; its constant where it has none."""
        if not self.has_centre:
            return self.constant
        u, v = self.centre
        return self.constant + (self.slope[0] * u + self.slope[1] * v) / 2

    def principal(self) -> tuple[tuple[float, float], tuple[Point, Point]]:
        """The eigenvalues and their axes of length 1: the larger first, but u first where nothing is turned."""
        if not self.mixed:
            return (as_float(self.first), as_float(self.second)), X_Y
        mixed, half = as_float(self.mixed), as_float((self.first - self.second) / 2)
        mean, radius = as_float(self.trace / 2), math.hypot(half, mixed)
        determinant = as_float(self.determinant)
        # The one without cancellation first, the other by the product of both, which is exact.
        if mean >= 0:
            larger = mean + radius
            smaller = determinant / larger
        else:
            smaller = mean - radius
            larger = determinant / smaller
        angle = math.atan2(mixed, half) / 2
        u = (math.cos(angle), math.sin(angle))
        return (larger, smaller), (u, (-u[1], u[0]))


def sign_of(value: Fraction) -> int:
    """-1, 0 or 1."""
    return (value > 0) - (value < 0)
