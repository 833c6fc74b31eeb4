"""Where the answer changes that is decided by the largest of several piecewise affine scores: exact straight pieces.

Within a cell all scores are affine, so each answer is given on a convex polygon, and two answers meet on a segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heldout.anatomy.regions.convex_polygons import THINNEST, area_of, cut, part_above
from heldout.anatomy.regions.joined_segments import join_segments
from heldout.anatomy.regions.relu_cells import ROUNDING, ReluCells

# Of the longest side of the window: ends of segments so close together are one. Each end is found twice, once from
# either cell, and where the boundary runs nearly along an edge the two differ by more than rounding.
_JOINED = 1e-7
# How far beside an edge it is asked what is answered there.
_BESIDE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class DecidedPart:
    """A part of a cell on which one answer is given.

    Attributes:
        cell: Its place in `ReluCells`.
        answer: The output whose score is largest.
        polygon: Its corners, counter-clockwise.
        area: Of it.
    """

    cell: int
    answer: int
    polygon: Float[np.ndarray, "corners two"]
    area: float


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """A straight piece of the boundary.

    Attributes:
        cell: Where it lies; a piece along the edge of two cells is told once, for either.
        answers: The two that meet, in their order.
        ends: Its two ends.
    """

    cell: int
    answers: tuple[int, int]
    ends: Float[np.ndarray, "two two"]


@dataclass(frozen=True, slots=True, eq=False)
class Polyline:
    """Pieces of the boundary joined end to end.

    Attributes:
        answers: The two that meet along it.
        points: From one end to the other; of a closed one the first comes again at the end.
        cells: The cell that each straight piece lies in, as in `Crossing`.
    """

    answers: tuple[int, int]
    points: Float[np.ndarray, "points two"]
    cells: tuple[int, ...]

    @property
    def is_closed(self) -> bool:
        """Whether it comes back to where it starts."""
        return len(self.points) > 2 and bool((self.points[0] == self.points[-1]).all())


@dataclass(frozen=True, slots=True, eq=False)
class PiecewiseBoundary:
    """What is answered where, and where the answer changes.

    Attributes:
        shift: What was added to each output; minus infinity for one that is never answered.
        parts: The cells, cut where the answer changes; in their order.
        crossings: All straight pieces of the boundary.
        lines: The same, joined.
        tied: Cells throughout which two scores are equal, one of them the largest somewhere: the first is answered.
    """

    shift: Float[np.ndarray, " outputs"]
    parts: tuple[DecidedPart, ...]
    crossings: tuple[Crossing, ...]
    lines: tuple[Polyline, ...]
    tied: tuple[int, ...]

    @property
    def n_pieces(self) -> int:
        """Straight pieces of the lines."""
        return sum(len(line.cells) for line in self.lines)

    @property
    def n_cells(self) -> int:
        """Cells that the lines pass through, or along."""
        return len({cell for line in self.lines for cell in line.cells})


def piecewise_boundary(cells: ReluCells, shift: Float[np.ndarray, " outputs"] | None = None) -> PiecewiseBoundary:
    """Where the largest output changes.

    Args:
        cells: Of a network of at least two outputs.
        shift: What is added to each output first; minus infinity where it is never to be answered, of all but one at
            most. None adds nothing.

    Example:
        >>> from heldout.anatomy.regions.convex_polygons import Window
        >>> from heldout.anatomy.regions.relu_cells import relu_cells
        >>> cells = relu_cells([np.array([[1.0, 0.0], [0.0, 1.0]])], [np.zeros(2)], Window(0, 2, 0, 2))
        >>> found = piecewise_boundary(cells, np.array([1.0, 0.0]))
        >>> found.lines[0].points.tolist(), [part.area for part in found.parts]
        ([[1.0, 2.0], [0.0, 1.0]], [3.5, 0.5])
    """
    shift = np.zeros(len(cells.biases[-1])) if shift is None else np.asarray(shift, np.float64)
    able = np.flatnonzero(np.isfinite(shift))
    found = _Found([], [], [], [])
    for cell in range(len(cells)):
        _decide(cells, cell, _scores_in(cells, cell, able, shift), found)
    crossings = found.crossings + _along_edges(cells, shift, found)
    lines = _joined(crossings, _JOINED * cells.window.longest)
    return PiecewiseBoundary(shift, tuple(found.parts), tuple(crossings), tuple(lines), tuple(found.tied))


@dataclass(frozen=True, slots=True)
class _Found:
    parts: list[DecidedPart]
    crossings: list[Crossing]
    tied: list[int]
    edges: list[Crossing]  # pieces of the edges of cells along which two scores are equal, told from either cell


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """The scores in one cell that can be the largest somewhere in it; `tolerances` of each pair of them."""

    answers: Int[np.ndarray, " able"]
    slopes: Float[np.ndarray, "able two"]
    constants: Float[np.ndarray, " able"]
    tolerances: Float[np.ndarray, "able able"]

    def lead(self, first: int, second: int, points: Float[np.ndarray, "points two"]) -> Float[np.ndarray, " points"]:
        """By how much the first is above the second; 0 where that is rounding, or less than a cell is thick."""
        found = points @ (self.slopes[first] - self.slopes[second]) + (self.constants[first] - self.constants[second])
        found[np.abs(found) <= self.tolerances[first, second]] = 0.0
        return np.asarray(found)


def _scores_in(
    cells: ReluCells, cell: int, able: Int[np.ndarray, " able"], shift: Float[np.ndarray, " outputs"]
) -> _Scores:
    slopes, constants = cells.slopes[cell][able], cells.constants[cell][able] + shift[able]
    corners = cells.polygons[cell] @ slopes.T + constants
    error = 2 * cells.errors[cell] + ROUNDING * float(np.abs(shift[able]).max())
    thinnest = THINNEST * cells.window.longest
    # Whoever is nowhere as large as another one is everywhere is not the largest anywhere.
    slack = error + 2 * thinnest * float(np.hypot(*slopes.T).max())
    kept = np.flatnonzero(corners.max(axis=0) >= corners.min(axis=0).max() - slack)
    between = slopes[kept][:, None] - slopes[kept][None]
    tolerances = np.maximum(error, thinnest * np.hypot(between[..., 0], between[..., 1]))
    return _Scores(able[kept], slopes[kept], constants[kept], tolerances)


def _decide(cells: ReluCells, cell: int, scores: _Scores, found: _Found) -> None:
    """What is answered in a cell, and where in it that changes."""
    polygon, n = cells.polygons[cell], len(scores.answers)
    if n == 1:
        found.parts.append(DecidedPart(cell, int(scores.answers[0]), polygon, float(cells.areas[cell])))
        return
    parts = [_part_of(scores, first, polygon) for first in range(n)]
    for first in range(n):
        if not len(parts[first]):
            continue
        found.parts.append(DecidedPart(cell, int(scores.answers[first]), parts[first], area_of(parts[first])))
        for second in range(n):
            if second != first:
                _meet(cells, cell, scores, (first, second), found, is_answered=len(parts[second]) > 0)


def _meet(
    cells: ReluCells, cell: int, scores: _Scores, pair: tuple[int, int], found: _Found, *, is_answered: bool
) -> None:
    """Where in a cell, or along its edges, a score that is answered somewhere in it meets another one."""
    polygon, (first, second) = cells.polygons[cell], pair
    lead = scores.lead(first, second, polygon)
    answers = (int(scores.answers[first]), int(scores.answers[second]))
    if not lead.any():
        if cell not in found.tied:
            found.tied.append(cell)
        return
    is_within = bool(lead.min() < 0 < lead.max())
    met = [(found.crossings, cut(polygon, lead).chord)] if is_within and is_answered and first < second else []
    for corner in np.flatnonzero((lead == 0) & (np.roll(lead, -1) == 0)):
        met.append((found.edges, polygon[[corner, (corner + 1) % len(polygon)]]))
    for kind, whole in met:
        ends = _while_largest(scores, first, second, whole)
        if np.hypot(*(ends[1] - ends[0])) > THINNEST * cells.window.longest:
            kind.append(Crossing(cell, answers, ends))


def _part_of(
    scores: _Scores, first: int, polygon: Float[np.ndarray, "corners two"]
) -> Float[np.ndarray, "corners two"]:
    """Where in a polygon a score is the largest, of equal ones the first; no corners where it is nowhere."""
    for second in range(len(scores.answers)):
        if second == first or not len(polygon):
            continue
        lead = scores.lead(first, second, polygon)
        if not lead.any() and first < second:
            continue
        polygon = part_above(polygon, lead) if lead.any() else polygon[:0]
    return polygon


def _while_largest(
    scores: _Scores, first: int, second: int, ends: Float[np.ndarray, "two two"]
) -> Float[np.ndarray, "two two"]:
    """The part of a segment on which two equal scores are the largest; of length 0 where they are nowhere.

    A third may equal them all along it: of three scores that are equal on one line the middle one is never answered.
    """
    begin, end = 0.0, 1.0
    for other in range(len(scores.answers)):
        if other in (first, second):
            continue
        at_begin, at_end = scores.lead(first, other, ends).tolist()
        if at_begin < 0 and at_end < 0:
            return ends[[0, 0]]
        if at_begin < 0:
            begin = max(begin, at_begin / (at_begin - at_end))
        elif at_end < 0:
            end = min(end, at_begin / (at_begin - at_end))
    return np.asarray(ends[0] + np.array([[begin], [max(begin, end)]]) * (ends[1] - ends[0]))


def _along_edges(cells: ReluCells, shift: Float[np.ndarray, " outputs"], found: _Found) -> list[Crossing]:
    """The edges on whose two sides the answers differ: where the boundary runs along the line of a unit."""
    if not found.edges:
        return []
    ends = np.array([edge.ends for edge in found.edges])
    along = ends[:, 1] - ends[:, 0]
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    outward *= _BESIDE * cells.window.longest / np.hypot(*along.T)[:, None]
    beside = ends.mean(axis=1)[None] + np.stack([-outward, outward])
    places = cells.locate(beside.reshape(-1, 2))
    answers = _answers(cells, shift, beside.reshape(-1, 2), places).reshape(2, -1)
    kept: dict[int, list[Crossing]] = {}
    # Most edges are told of by the cells on both sides; first those on the side of the earlier answer are heard.
    for is_heard_first in (True, False):
        for number, edge in enumerate(found.edges):
            inside, outside = answers[:, number].tolist()
            beyond = int(places[len(ends) + number])
            if beyond < 0 or inside == outside or edge.answers != (inside, outside):
                continue
            if (inside < outside) == is_heard_first and not any(
                _is_beside(edge.ends, other.ends, cells.window.longest) for other in kept.get(beyond, ())
            ):
                crossing = Crossing(edge.cell, (min(inside, outside), max(inside, outside)), edge.ends)
                kept.setdefault(edge.cell, []).append(crossing)
    return [crossing for some in kept.values() for crossing in some]


def _is_beside(ends: Float[np.ndarray, "two two"], other: Float[np.ndarray, "two two"], longest: float) -> bool:
    """Whether the middle of a segment lies on another one."""
    middle, along = ends.mean(axis=0), other[1] - other[0]
    share = float(np.clip((middle - other[0]) @ along / (along @ along), 0, 1))
    return float(np.hypot(*(other[0] + share * along - middle))) <= _JOINED * longest


def _answers(
    cells: ReluCells,
    shift: Float[np.ndarray, " outputs"],
    points: Float[np.ndarray, "points two"],
    places: Int[np.ndarray, " points"],
) -> Int[np.ndarray, " points"]:
    """The first of the largest scores at each point."""
    scores = cells.outputs_by_cell(points, places) + shift
    errors = 2 * cells.errors[places] + ROUNDING * np.abs(shift[np.isfinite(shift)]).max()
    return np.asarray((scores >= scores.max(axis=1, keepdims=True) - errors[:, None]).argmax(axis=1))


def _joined(crossings: Sequence[Crossing], near: float) -> list[Polyline]:
    """The pieces joined end to end, those of each two answers by themselves; the longest first."""
    lines: list[Polyline] = []
    for answers in sorted({crossing.answers for crossing in crossings}):
        own = [crossing for crossing in crossings if crossing.answers == answers]
        for joined in join_segments(np.array([crossing.ends for crossing in own]), near):
            lines.append(Polyline(answers, joined.points, tuple(own[number].cell for number in joined.segments)))
    return sorted(lines, key=lambda line: -float(np.hypot(*np.diff(line.points, axis=0).T).sum()))
