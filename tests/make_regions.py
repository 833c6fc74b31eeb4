"""Half-planes, polygons and random arrangements for the tests of threshold networks."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog

from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.numbers import Point
from heldout.anatomy.regions.text import read_points, read_shape
from heldout.anatomy.regions.threshold_units import Pattern, UnitValues

ZERO_ONE = UnitValues(Fraction(0), Fraction(1))
MINUS_PLUS = UnitValues(Fraction(-1), Fraction(1))
WRITE_UP = UnitValues(Fraction("0.2"), Fraction("0.5"))
FIVE_LINES = "x1 >= 0; x1 <= 4; x1 + x2 <= 6; x2 - x1 <= 2; x2 >= 0"
SQUARE = "0,0 1,0 1,1 0,1"
CORNER = "0,0 2,0 2,1 1,1 1,2 0,2"  # the shape of an L


def lines_of(text: str) -> tuple[HalfPlane, ...]:
    """The half-planes of a text."""
    found = read_shape(text)
    return tuple(each for each in found if isinstance(each, HalfPlane))


def corners_of(text: str) -> tuple[Point, ...]:
    """The points of a text."""
    return read_points(text)


def half_plane(first: int, second: int, bias: int) -> HalfPlane:
    """A half-plane of whole numbers."""
    return HalfPlane((Fraction(first), Fraction(second)), Fraction(bias))


@st.composite
def some_lines(draw: st.DrawFn, *, most: int = 6) -> tuple[HalfPlane, ...]:
    """Lines of small whole numbers: parallels, copies and three through one point come often."""
    numbers = st.integers(-3, 3)
    rows = draw(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=most))
    kept = [row for row in rows if row[:2] != (0, 0)] or [(1, 0, 0)]
    return tuple(half_plane(*row) for row in kept)


def lines_at_random(n_lines: int, seed: int) -> tuple[HalfPlane, ...]:
    """Lines in general position: as good as sure with numbers of four digits."""
    rows = np.random.default_rng(seed).integers(-5000, 5000, (n_lines, 3)).tolist()
    return tuple(half_plane(*row) for row in rows)


def signs_of(half_planes: Sequence[HalfPlane], points: np.ndarray) -> np.ndarray:
    """Whether each point lies strictly on the positive side of each line, in plain floats."""
    rows = np.array([[float(number) for number in (*each.weights, each.bias)] for each in half_planes])
    return np.asarray(points @ rows[:, :2].T + rows[:, 2] > 0)


def has_room(half_planes: Sequence[HalfPlane], pattern: Pattern) -> bool:
    """Whether a disc fits into the cell of a pattern, by linear programming."""
    rows, right = [], []
    for each, fires in zip(half_planes, pattern, strict=True):
        first, second, bias = (float(number) * (1 if fires else -1) for number in (*each.weights, each.bias))
        rows.append([-first, -second, np.hypot(first, second)])
        right.append(bias)
    solved = linprog([0, 0, -1], A_ub=rows, b_ub=right, bounds=[(None, None), (None, None), (0, 1)], method="highs")
    return bool(solved.status == 0 and -solved.fun > 1e-9)
