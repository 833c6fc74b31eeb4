"""Convex polygons, cut by straight lines: what cells are made of.

A polygon is its corners in counter-clockwise order, one a row. A line is told by the values that its affine function
has at the corners; what is so small that its sign is rounding must be set to 0 before.
"""

from dataclasses import dataclass
from itertools import combinations, pairwise
from math import dist

import numpy as np
from jaxtyping import Bool, Float

from heldout.errors import UsageError

# Of the longest side of the window: cells thinner than that are rounding, and two points so close are one.
THINNEST = 1e-10


@dataclass(frozen=True, slots=True)
class Window:
    """An upright rectangle of the plane.

    Attributes:
        x_low: Its left side.
        x_high: Its right side.
        y_low: Its lower side.
        y_high: Its upper side.

    Raises:
        UsageError: A side is no finite number, or it has no inside.
    """

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def __post_init__(self) -> None:
        sides = (self.x_low, self.x_high, self.y_low, self.y_high)
        # The area must be a number that is neither 0 nor infinite.
        if not (all(1e-100 < abs(high - low) < 1e100 for low, high in (sides[:2], sides[2:])) and self.is_upright):
            raise UsageError(
                f"the window is {', '.join(f'{side:g}' for side in sides)}",
                expected="four finite numbers: left < right, low < high",
                fix="such as -2,2,-1,1",
            )

    @property
    def is_upright(self) -> bool:
        """Whether left is left of right, and low below high."""
        return self.x_low < self.x_high and self.y_low < self.y_high

    @property
    def corners(self) -> Float[np.ndarray, "four two"]:
        """Counter-clockwise from the lower left."""
        x, y = (self.x_low, self.x_high), (self.y_low, self.y_high)
        return np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])

    @property
    def longest(self) -> float:
        """The length of its longest side."""
        return max(self.x_high - self.x_low, self.y_high - self.y_low)

    @property
    def area(self) -> float:
        """Width by height."""
        return (self.x_high - self.x_low) * (self.y_high - self.y_low)

    def holds(self, points: Float[np.ndarray, "points two"]) -> Bool[np.ndarray, " points"]:
        """Whether each point lies in it; its sides belong to it."""
        low, high = self.corners[0], self.corners[2]
        return np.asarray(((points >= low) & (points <= high)).all(axis=1))


def area_of(polygon: Float[np.ndarray, "corners two"]) -> float:
    """The area; 0 with fewer than three corners.

    Example:
        >>> area_of(Window(0, 2, 0, 3).corners)
        6.0
    """
    if len(polygon) < 3:
        return 0.0
    corners = (polygon - polygon[0]).tolist()  # so that a small polygon far from 0 loses no digits
    return float(sum(x * after_y - y * after_x for (x, y), (after_x, after_y) in pairwise(corners)) / 2)


def centre_of(polygon: Float[np.ndarray, "corners two"]) -> Float[np.ndarray, " two"]:
    """The mean of the corners: a point inside."""
    return np.asarray(polygon.mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """The two parts of a polygon that a line cuts.

    Attributes:
        above: Where the affine function is at least 0.
        below: Where it is at most 0.
        chord: Where it is 0: two points.
    """

    above: Float[np.ndarray, "corners two"]
    below: Float[np.ndarray, "corners two"]
    chord: Float[np.ndarray, "two two"]


def cut(polygon: Float[np.ndarray, "corners two"], values: Float[np.ndarray, " corners"]) -> Halves:
    """The parts of a polygon on both sides of a line.

    Args:
        polygon: Convex.
        values: Of an affine function at the corners; at least one above 0 and one below 0.

    Example:
        >>> halves = cut(Window(0, 2, 0, 2).corners, np.array([-1.0, 1.0, 1.0, -1.0]))
        >>> halves.chord.tolist(), area_of(halves.above)
        ([[1.0, 0.0], [1.0, 2.0]], 2.0)
    """
    corners, heights = polygon.tolist(), values.tolist()
    above, below, chord = [], [], []
    for number, (corner, height) in enumerate(zip(corners, heights, strict=True)):
        if height >= 0:
            above.append(corner)
        if height <= 0:
            below.append(corner)
        if height == 0:
            chord.append(corner)
        following = (number + 1) % len(corners)
        after = heights[following]
        if (height < 0 < after) or (after < 0 < height):
            share = height / (height - after)
            point = [a + share * (b - a) for a, b in zip(corner, corners[following], strict=True)]
            for part in (above, below, chord):
                part.append(point)
    assert len(chord) >= 2, f"the line meets the polygon in {len(chord)} points: {heights}"
    return Halves(np.array(above), np.array(below), np.array(max(combinations(chord, 2), key=lambda ends: dist(*ends))))


def part_above(
    polygon: Float[np.ndarray, "corners two"], values: Float[np.ndarray, " corners"]
) -> Float[np.ndarray, "corners two"]:
    """The part of a polygon where an affine function is at least 0: all of it, a part, or no corner at all."""
    if values.min() >= 0:
        return polygon
    return cut(polygon, values).above if values.max() > 0 else polygon[:0]
