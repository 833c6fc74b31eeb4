"""The cells into which lines cut the plane: every pattern of units that some point has, found exactly.

n lines in general position give 1 + n + n (n - 1) / 2 cells, not 2^n: most patterns have no point.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from heldout.anatomy.regions.half_planes import HalfPlane, Line, check_number_of
from heldout.anatomy.regions.numbers import Point
from heldout.anatomy.regions.threshold_units import Pattern, Step

Signs = tuple[int, ...]
Side = tuple[Point | None, Point | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """All points at which the same units fire.

    Attributes:
        pattern: Which units fire, in their order.
        dimension: 2 for a piece of the plane. 1 or 0 where only points on lines have the pattern, which happens where
            lines coincide or where three meet.
        point: One of its points; an inner one of a piece of the plane.
        area: In square units; None where the cell goes on for ever.
    """

    pattern: Pattern
    dimension: int
    point: Point
    area: Fraction | None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The cells of lines.

    Attributes:
        half_planes: One a unit; several may have one line.
        step: On which side the points of a line count.
        cells: The pieces of the plane first, those in which many units fire before the others; each pattern once.
        lines: The different ones.
        crossings: The points where lines meet, and how many lines do.
        n_edges: The pieces into which the lines cut each other.
    """

    half_planes: tuple[HalfPlane, ...]
    step: Step
    cells: tuple[Cell, ...]
    lines: tuple[Line, ...]
    crossings: tuple[tuple[Point, int], ...]
    n_edges: int

    @property
    def n_pieces(self) -> int:
        """The cells that are pieces of the plane."""
        return sum(cell.dimension == 2 for cell in self.cells)


def arrangement_of(half_planes: Sequence[HalfPlane], step: Step = Step.AT_ZERO) -> Arrangement:
    """Every cell of the half-planes' lines, in exact arithmetic; takes about n^3 steps.

    Args:
        half_planes: 1 to 24.
        step: Whether the points of a line count to the positive side.

    Raises:
        UsageError: There are none, or too many.

    Example:
        >>> one = Fraction(1)
        >>> lines = ((one, 0 * one), 0 * one), ((0 * one, one), 0 * one), ((one, one), -one)
        >>> arrangement_of([HalfPlane(weights, bias) for weights, bias in lines]).n_pieces
        7
    """
    check_number_of(half_planes)
    lines = tuple(dict.fromkeys(each.line for each in half_planes))
    faces = _Faces(lines)
    for position in range(len(lines)):
        _walk(faces, position)
    cells: dict[Pattern, Cell] = {}
    units = [(lines.index(each.line), each.side) for each in half_planes]
    for signs, point, dimension in _in_order(faces):
        pattern = tuple(side * signs[line] > 0 or (signs[line] == 0 and step is Step.AT_ZERO) for line, side in units)
        if pattern not in cells:
            area = faces.area(signs, point) if dimension == 2 else Fraction(0)
            cells[pattern] = Cell(pattern, dimension, point, area)
    ordered = sorted(
        cells.values(), key=lambda cell: (-cell.dimension, -sum(cell.pattern), [not on for on in cell.pattern])
    )
    crossings = tuple((point, signs.count(0)) for signs, point in faces.corners.items())
    return Arrangement(tuple(half_planes), step, tuple(ordered), lines, crossings, len(faces.edges))


class _Faces:
    """What is found on a walk along the lines: faces by the signs of the lines in them, each with a point."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.corners: dict[Signs, Point] = {}
        self.edges: dict[Signs, Point] = {}
        self.pieces: dict[Signs, list[Side]] = {}

    def signs(self, point: Point) -> Signs:
        """On which side of each line a point lies; 0 on the line."""
        (x, under_x), (y, under_y) = (number.as_integer_ratio() for number in point)
        # Over a common denominator: whole numbers are ten times as fast as fractions.
        x, y, under = x * under_y, y * under_x, under_x * under_y
        return tuple(_sign(a * x + b * y + c * under) for a, b, c in self.lines)

    def area(self, signs: Signs, centre: Point) -> Fraction | None:
        """The area of a piece around one of its points; None where an edge of it goes on for ever."""
        doubled = Fraction(0)
        for start, end in self.pieces[signs]:
            if start is None or end is None:
                return None
            doubled += abs(
                (start[0] - centre[0]) * (end[1] - centre[1]) - (start[1] - centre[1]) * (end[0] - centre[0])
            )
        return doubled / 2

    def inner_point(self, signs: Signs) -> Point:
        """A point of a piece with few digits: the middle of its corners where it is bounded, else beside an edge."""
        sides = self.pieces[signs]
        corners = {corner for side in sides for corner in side if corner is not None}
        if all(None not in side for side in sides):
            found = (_mean([x for x, _ in corners]), _mean([y for _, y in corners]))
        else:
            found = self._beside_an_edge(signs)
        return self._rounded(found, signs)

    def _beside_an_edge(self, signs: Signs) -> Point:
        """From an edge into the piece, half the way to the next line, but no further than the line's own scale."""
        edge = next(
            edge for edge in self.edges if all(own in {0, there} for own, there in zip(edge, signs, strict=True))
        )
        on, start = edge.index(0), self.edges[edge]
        a, b, _ = self.lines[on]
        towards = (Fraction(signs[on] * a, abs(a) + abs(b)), Fraction(signs[on] * b, abs(a) + abs(b)))
        reach = Fraction(2)
        for first, second, constant in self.lines:
            slope = first * towards[0] + second * towards[1]
            if slope:
                distance = -(first * start[0] + second * start[1] + constant) / slope
                reach = min(reach, distance) if distance > 0 else reach
        return start[0] + towards[0] * reach / 2, start[1] + towards[1] * reach / 2

    def _rounded(self, point: Point, signs: Signs) -> Point:
        for n_places in range(8):
            near = (round(point[0], n_places), round(point[1], n_places))
            if self.signs(near) == signs:
                return near
        return point


def _walk(faces: _Faces, position: int) -> None:
    """Along one line: its crossings with the others, the edges between them, and the pieces on both sides."""
    a, b, c = faces.lines[position]
    foot = (Fraction(-a * c, a * a + b * b), Fraction(-b * c, a * a + b * b))
    crossings = set()
    for first, second, constant in faces.lines:
        slope = -first * b + second * a
        if slope:
            crossings.add(-(first * foot[0] + second * foot[1] + constant) / slope)
    places = sorted(crossings)
    corners = [(foot[0] - b * place, foot[1] + a * place) for place in places]
    for corner in corners:
        faces.corners.setdefault(faces.signs(corner), corner)
    # A unit of `place` is |(a, b)| long: beyond the outer crossings one step of length about 1.
    step = Fraction(1, abs(a) + abs(b))
    inner = [(low + high) / 2 for low, high in pairwise(places)]
    between = [places[0] - step, *inner, places[-1] + step] if places else [Fraction(0)]
    ends = [None, *corners, None]
    for place, start, end in zip(between, ends[:-1], ends[1:], strict=True):
        point = (foot[0] - b * place, foot[1] + a * place)
        signs = faces.signs(point)
        faces.edges[signs] = point
        for side in (1, -1):
            beside = (*signs[:position], side, *signs[position + 1 :])
            faces.pieces.setdefault(beside, []).append((start, end))


def _in_order(faces: _Faces) -> Iterator[tuple[Signs, Point, int]]:
    """The faces from the largest dimension to the smallest."""
    for signs in faces.pieces:
        yield signs, faces.inner_point(signs), 2
    for signs, point in faces.edges.items():
        yield signs, point, 1
    for signs, point in faces.corners.items():
        yield signs, point, 0


def _mean(numbers: Sequence[Fraction]) -> Fraction:
    return sum(numbers, Fraction(0)) / len(numbers)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
