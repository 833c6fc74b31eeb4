"""Polygons: are they sound, are they convex, what half-planes are their edges, and which points they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float

from heldout.anatomy.regions.half_planes import HalfPlane, whole
from heldout.anatomy.regions.numbers import Point, plain
from heldout.errors import UsageError

_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Polygon:
    """A polygon whose edges meet at its corners alone.

    Attributes:
        corners: Counter-clockwise; three or more, and no three neighbours on one line.
        notes: What was done to the points that were given, such as that they were turned round.
    """

    corners: tuple[Point, ...]
    notes: tuple[str, ...] = ()

    @property
    def edges(self) -> list[tuple[Point, Point]]:
        """From corner to corner, the interior on the left."""
        return list(zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True))

    @property
    def area(self) -> Fraction:
        """In square units."""
        return _doubled_area(self.corners) / 2

    @property
    def reflex_corners(self) -> tuple[Point, ...]:
        """The corners where the polygon turns inwards; none in a convex one."""
        before = (self.corners[-1], *self.corners[:-1])
        after = (*self.corners[1:], self.corners[0])
        triples = zip(before, self.corners, after, strict=True)
        return tuple(corner for first, corner, last in triples if _turn(first, corner, last) < 0)

    @property
    def is_convex(self) -> bool:
        """Whether it is the common part of its edges' half-planes."""
        return not self.reflex_corners


def polygon_of(points: Sequence[Point]) -> Polygon:
    """The polygon with these corners, in their order, closed by itself.

    Repeated points, corners on a straight edge and the sense of rotation are put right, and noted.

    Raises:
        UsageError: There are too few points or too many, all lie on one line, or edges meet apart from their ends.

    Example:
        >>> [(int(x), int(y)) for x, y in polygon_of([(Fraction(0), Fraction(0)), (Fraction(0), Fraction(1)),
        ...     (Fraction(1), Fraction(0))]).corners]
        [(1, 0), (0, 1), (0, 0)]
    """
    notes: list[str] = []
    corners = _without_repetitions(points, notes)
    if not 3 <= len(set(corners)) <= _MOST_POINTS:
        raise _no_polygon(f"there are {len(set(corners))} different points", f"3 to {_MOST_POINTS} corners")
    if all(_turn(corners[0], corners[1], point) == 0 for point in corners):
        raise _no_polygon("all points lie on one line", "three corners that do not")
    corners = _without_straight_corners(corners, notes)
    _check_crossings(corners)
    if _doubled_area(corners) < 0:
        corners.reverse()
        notes.append("the corners were given clockwise; they are gone through the other way round")
    return Polygon(tuple(corners), tuple(notes))


def edge_half_planes(polygon: Polygon) -> list[HalfPlane]:
    """One half-plane a line and side, in the order of the edges, the interior on the positive side."""
    found: dict[tuple[tuple[int, int, int], int], HalfPlane] = {}
    for start, end in polygon.edges:
        across, along = end[0] - start[0], end[1] - start[1]
        numbers = whole((-along, across, along * start[0] - across * start[1]))
        first, second, bias = (Fraction(number) for number in numbers)
        half_plane = HalfPlane((first, second), bias, f"edge {point_text(start)} to {point_text(end)}")
        found.setdefault((half_plane.line, half_plane.side), half_plane)
    return list(found.values())


def holds_point(polygon: Polygon, point: Point, *, with_edge: bool) -> bool:
    """Whether a point lies inside, exactly.

    Args:
        polygon: Any.
        point: Any.
        with_edge: What is answered for a point on an edge.
    """
    inside = False
    for start, end in polygon.edges:
        if _turn(start, end, point) == 0 and _is_between(start, end, point):
            return with_edge
        if (start[1] > point[1]) != (end[1] > point[1]):
            # Whether the edge passes to the right of the point, without a division.
            inside ^= (_turn(start, end, point) > 0) == (end[1] > start[1])
    return inside


def holds_points(polygon: Polygon, points: Float[np.ndarray, "points 2"]) -> Bool[np.ndarray, " points"]:
    """Whether each of many points lies inside: how often a ray to the right meets the edges, in floats."""
    inside = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    for start, end in polygon.edges:
        (x0, y0), (x1, y1) = (tuple(map(float, each)) for each in (start, end))
        if y0 == y1:
            continue
        meets = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * ((y - y0) / (y1 - y0)) + x0)
        inside ^= meets
    return inside


def point_text(point: Point) -> str:
    """A point as text.

    Example:
        >>> point_text((Fraction(1, 2), Fraction(0)))
        '(0.5, 0)'
    """
    return f"({plain(point[0])}, {plain(point[1])})"


def _without_repetitions(points: Sequence[Point], notes: list[str]) -> list[Point]:
    """Without points that repeat the one before; the first may be repeated at the end."""
    corners: list[Point] = []
    for point in points:
        if not corners or corners[-1] != point:
            corners.append(point)
    n_repeated = len(points) - len(corners)
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
        notes.append("the first point is repeated at the end; a polygon closes by itself")
    if n_repeated:
        notes.append(f"{n_repeated} repeated point{'s are' if n_repeated > 1 else ' is'} left out")
    return corners


def _without_straight_corners(corners: list[Point], notes: list[str]) -> list[Point]:
    kept = []
    for before, corner, after in zip((corners[-1], *corners[:-1]), corners, (*corners[1:], corners[0]), strict=True):
        if _turn(before, corner, after) != 0:
            kept.append(corner)
        elif _is_between(before, after, corner):
            notes.append(f"{point_text(corner)} lies on a straight edge and is no corner")
        else:
            raise _no_polygon(f"the outline turns back on itself at {point_text(corner)}", "an outline that encloses")
    return kept


def _check_crossings(corners: Sequence[Point]) -> None:
    """Refuse edges that meet apart from the corner that neighbours share."""
    edges = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    for second, (c, d) in enumerate(edges):
        for first, (a, b) in enumerate(edges[:second]):
            are_neighbours = second - first in {1, len(edges) - 1}
            if not are_neighbours and _meet(a, b, c, d):
                named = f"{point_text(a)} to {point_text(b)} and {point_text(c)} to {point_text(d)}"
                raise _no_polygon(f"the edges {named} meet", "edges that meet at the corners of neighbours alone")


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two closed segments have a point in common."""
    turns = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn == 0 and _is_between(*end) for turn, end in zip(turns, ends, strict=True))


def _turn(first: Point, second: Point, third: Point) -> Fraction:
    """Above 0 where the way from the first over the second to the third turns left; 0 where it goes straight."""
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])


def _is_between(first: Point, last: Point, point: Point) -> bool:
    """Whether a point on the line of two others lies from the one to the other."""
    return all(min(low, high) <= at <= max(low, high) for low, high, at in zip(first, last, point, strict=True))


def _doubled_area(corners: Sequence[Point]) -> Fraction:
    """Twice the area; below 0 where the corners run clockwise."""
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return sum((a[0] * b[1] - a[1] * b[0] for a, b in pairs), Fraction(0))


def _no_polygon(what: str, expected: str) -> UsageError:
    return UsageError(f"this is no polygon: {what}", expected=expected, fix="give the corners in the order of a walk")
