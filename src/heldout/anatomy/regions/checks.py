"""Is the network right? Asked of one point of every cell exactly, and of many random points by another way."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float

from heldout.anatomy.regions.answers import Answer
from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.numbers import Point
from heldout.anatomy.regions.polygons import Polygon
from heldout.anatomy.regions.rules import InPolygon, codes_of
from heldout.anatomy.regions.threshold_units import Network, Step
from heldout.randomness import stream

N_RANDOM = 100_000
# Floats that are nearer to an edge than their own rounding are judged again exactly; more of them are never expected.
_MOST_JUDGED_AGAIN = 2000


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the plane: where points are drawn from, and what a figure shows."""

    low: Point
    high: Point

    @property
    def x(self) -> tuple[float, float]:
        """From left to right."""
        return float(self.low[0]), float(self.high[0])

    @property
    def y(self) -> tuple[float, float]:
        """From bottom to top."""
        return float(self.low[1]), float(self.high[1])

    @property
    def sides(self) -> Point:
        """How wide and how high it is."""
        return self.high[0] - self.low[0], self.high[1] - self.low[1]

    def inside(self, point: Point) -> Point:
        """Where a point lies in the view: from 0 to 1 along both sides."""
        across, along = self.sides
        return (point[0] - self.low[0]) / across, (point[1] - self.low[1]) / along

    def point(self, place: Point) -> Point:
        """The point at a place, as `inside` gives it."""
        across, along = self.sides
        return self.low[0] + place[0] * across, self.low[1] + place[1] * along


@dataclass(frozen=True, slots=True)
class Check:
    """What the check found.

    Attributes:
        n_cells: Cells of which one point was asked, exactly.
        n_wrong_cells: Of them, those with a wrong answer.
        n_random: Random points in the view.
        n_wrong: Of them, those with a wrong answer.
    """

    n_cells: int
    n_wrong_cells: int
    n_random: int
    n_wrong: int


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer, and how its networks did.

    Attributes:
        answer: What was asked, and the networks.
        view: The rectangle in which the random points lie.
        checks: One a network, in the order of `answer.networks`.
    """

    answer: Answer
    view: View
    checks: tuple[Check, ...]


def check_answer(answer: Answer, *, n_random: int = N_RANDOM) -> Checked:
    """The answer with a check of each of its networks.

    Args:
        answer: Any.
        n_random: How many random points each is asked about.
    """
    view = view_of(answer)
    checks = (checked(answer, network, view=view, n_random=n_random) for network in answer.networks)
    return Checked(answer, view, tuple(checks))


def view_of(answer: Answer) -> View:
    """A rectangle around the polygon, or around the crossings of the lines, with a margin."""
    if isinstance(answer.rule, InPolygon):
        points = list(answer.rule.polygon.corners)
    else:
        points = _near_ones([point for point, _ in answer.arrangement.crossings])
        if len(points) < 2:
            points += [cell.point for cell in answer.arrangement.cells]
    low = [min(point[axis] for point in points) for axis in (0, 1)]
    high = [max(point[axis] for point in points) for axis in (0, 1)]
    larger = max(high[axis] - low[axis] for axis in (0, 1))
    for axis in (0, 1):
        # What lies on one line would make a flat view.
        room = max(larger * Fraction(3, 10), (larger - (high[axis] - low[axis])) / 2)
        low[axis], high[axis] = low[axis] - room, high[axis] + room
    return View((low[0], low[1]), (high[0], high[1]))


def _near_ones(points: Sequence[Point]) -> list[Point]:
    """The points without those far off, such as the crossing of lines that are nearly parallel."""
    if len(points) < 3:
        return list(points)
    middle = tuple(sorted(point[axis] for point in points)[len(points) // 2] for axis in (0, 1))
    distances = [max(abs(point[axis] - middle[axis]) for axis in (0, 1)) for point in points]
    usual = sorted(distances)[len(points) // 2] or max(distances)
    return [point for point, distance in zip(points, distances, strict=True) if distance <= 8 * usual]


def checked(answer: Answer, network: Network, *, view: View, n_random: int = N_RANDOM) -> Check:
    """How often a network is wrong about the region.

    The random points are judged by the rule itself: for a polygon by how often a ray meets its edges, which knows
    nothing of half-planes.

    Args:
        answer: What is wanted.
        network: Any network of the same half-planes.
        view: Where the random points lie.
        n_random: How many.
    """
    cells = answer.arrangement.cells
    wrong_cells = [cell for cell in cells if network.answers_at(cell.point) != (cell.pattern in answer.wanted)]
    wrong = wrong_points(answer, network, stream(0, "sample").random((n_random, 2)), view)
    return Check(len(cells), len(wrong_cells), n_random, int(wrong.sum()))


def wrong_points(
    answer: Answer, network: Network, unit_points: Float[np.ndarray, "points 2"], view: View
) -> Bool[np.ndarray, " points"]:
    """At which of many points a network is wrong.

    Args:
        answer: What is wanted.
        network: Any network of the same half-planes.
        unit_points: Places in the view, from 0 to 1 along both of its sides.
        view: The rectangle.
    """
    wrong = np.not_equal(answers_many(network, unit_points, view), wanted_many(answer, unit_points, view))
    for row in np.flatnonzero(wrong)[:_MOST_JUDGED_AGAIN]:
        point = view.point((Fraction(float(unit_points[row, 0])), Fraction(float(unit_points[row, 1]))))
        wrong[row] = network.answers_at(point) != answer.rule.holds(network.pattern_at(point), point)
    return np.asarray(wrong)


def answers_many(
    network: Network, unit_points: Float[np.ndarray, "points 2"], view: View
) -> Bool[np.ndarray, " points"]:
    """What a network says at each of many points.

    Args:
        network: Any.
        unit_points: Places in the view, from 0 to 1 along both of its sides.
        view: The rectangle.
    """
    patterns = patterns_many(network.half_planes, network.step, unit_points, view)
    _, first, place = np.unique(codes_of(patterns), return_index=True, return_inverse=True)
    answers = [network.answers(tuple(bool(fires) for fires in patterns[row])) for row in first]
    return np.array(answers, dtype=bool)[place]


def wanted_many(answer: Answer, unit_points: Float[np.ndarray, "points 2"], view: View) -> Bool[np.ndarray, " points"]:
    """Whether each of many points is wanted, by the rule itself.

    Args:
        answer: What is wanted.
        unit_points: Places in the view, from 0 to 1 along both of its sides.
        view: The rectangle.
    """
    plane, rule = answer.arrangement, answer.rule
    if isinstance(rule, InPolygon):
        corners = tuple(view.inside(corner) for corner in rule.polygon.corners)
        rule = InPolygon(Polygon(corners), rule.with_edge)
    return rule.holds_many(patterns_many(plane.half_planes, plane.step, unit_points, view), unit_points)


def patterns_many(
    half_planes: Sequence[HalfPlane], step: Step, unit_points: Float[np.ndarray, "points 2"], view: View
) -> Bool[np.ndarray, "points units"]:
    """Which units fire at each of many points.

    Args:
        half_planes: A unit each.
        step: Where a unit fires.
        unit_points: Places in the view, from 0 to 1 along both of its sides.
        view: The rectangle; the lines are put into its own measure exactly, so that floats lose nothing far from 0.
    """
    sides = view.sides
    rows = []
    for each in half_planes:
        row = (each.weights[0] * sides[0], each.weights[1] * sides[1], each.at(view.low))
        largest = max(map(abs, row))
        rows.append([float(number / largest) for number in row])
    lines = np.array(rows)
    sums = unit_points @ lines[:, :2].T + lines[:, 2]
    return np.asarray(sums >= 0 if step is Step.AT_ZERO else sums > 0)
