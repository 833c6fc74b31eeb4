"""Half-planes: what one threshold unit of two inputs can tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from heldout.anatomy.regions.numbers import Point
from heldout.errors import UsageError

# With 24 lines the plane has up to 301 cells; everything about them is found within seconds.
MOST_HALF_PLANES = 24
Line = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class HalfPlane:
    """The points x where `weights . x + bias` is positive: the positive side of a line.

    Attributes:
        weights: Of x1 and x2; they point into the positive side. Never both 0.
        bias: Of the unit.
        origin: Where it comes from, such as `edge (0, 0) to (1, 0)`; may be empty.
    """

    weights: tuple[Fraction, Fraction]
    bias: Fraction
    origin: str = ""

    def __post_init__(self) -> None:
        if not any(self.weights):
            raise UsageError(
                f"a unit with the weights 0, 0 and the bias {self.bias} has no line",
                expected="a weight that is not 0, for x1 or for x2",
                fix="change the weights, or leave this unit out",
            )

    def at(self, point: Point) -> Fraction:
        """What the unit's threshold sees at a point: above 0 on the positive side, 0 on the line.

        Example:
            >>> HalfPlane((Fraction(1), Fraction(1)), Fraction(-2)).at((Fraction(1), Fraction(3)))
            Fraction(2, 1)
        """
        return self.weights[0] * point[0] + self.weights[1] * point[1] + self.bias

    @property
    def line(self) -> Line:
        """The same for every half-plane of this line: coprime numbers, of which the first that is not 0 is positive."""
        numbers = whole((*self.weights, self.bias))
        first = next(number for number in numbers if number)
        turned = tuple(number if first > 0 else -number for number in numbers)
        return turned[0], turned[1], turned[2]

    @property
    def side(self) -> int:
        """1 where the positive side is that of `line`, -1 where it is the other."""
        return 1 if next(weight for weight in self.weights if weight) > 0 else -1


def whole(numbers: Sequence[Fraction]) -> tuple[int, ...]:
    """The smallest whole numbers in the same ratio, with the same signs; not all may be 0.

    Example:
        >>> whole((Fraction(1, 2), Fraction(-1, 3)))
        (3, -2)
    """
    below = lcm(*(number.denominator for number in numbers))
    large = [int(number * below) for number in numbers]
    common = gcd(*large)
    return tuple(number // common for number in large)


def same_half_planes(half_planes: Sequence[HalfPlane]) -> list[tuple[int, int]]:
    """Pairs of positions that hold one and the same half-plane, each with the first that holds it."""
    first: dict[tuple[Line, int], int] = {}
    pairs = []
    for position, each in enumerate(half_planes):
        earlier = first.setdefault((each.line, each.side), position)
        if earlier != position:
            pairs.append((earlier, position))
    return pairs


def opposite_half_planes(half_planes: Sequence[HalfPlane]) -> list[tuple[int, int]]:
    """Pairs of positions that lie on two sides of one line."""
    return [
        (first, second)
        for second in range(len(half_planes))
        for first in range(second)
        if half_planes[first].line == half_planes[second].line and half_planes[first].side != half_planes[second].side
    ]


def check_number_of(half_planes: Sequence[HalfPlane]) -> None:
    """Nothing, where there are half-planes and not too many.

    Raises:
        UsageError: There is none, or there are more than can be gone through.
    """
    if not 1 <= len(half_planes) <= MOST_HALF_PLANES:
        raise UsageError(
            f"there are {len(half_planes)} lines",
            expected=f"1 to {MOST_HALF_PLANES}",
            fix="draw the shape with fewer edges" if half_planes else 'give lines, such as "x1 >= 0; x1 + x2 <= 2"',
        )
