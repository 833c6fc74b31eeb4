"""Straight pieces joined end to end."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Segments joined end to end.

    Attributes:
        points: From one end to the other; of a closed line the first comes again at the end.
        segments: Which segment lies between each point and the next.
    """

    points: Float[np.ndarray, "points two"]
    segments: tuple[int, ...]


def join_segments(segments: Float[np.ndarray, "segments two two"], near: float) -> list[Joined]:
    """Segments joined where just two of them end; those shorter than `near` are left out.

    Args:
        segments: Two ends each.
        near: Ends no farther apart than this, along each axis, are one point.

    Example:
        >>> segments = np.array([[[0.0, 0.0], [1.0, 0.0]], [[2.0, 1.0], [1.0, 0.0]]])
        >>> joined = join_segments(segments, 1e-9)[0]
        >>> joined.points.tolist(), joined.segments
        ([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]], (0, 1))
    """
    nodes, points = _nodes(segments.reshape(-1, 2), near)
    pairs = [(first, second) for first, second in nodes.reshape(-1, 2).tolist()]
    at: dict[int, list[int]] = {}
    for number, (first, second) in enumerate(pairs):
        if first != second:
            at.setdefault(first, []).append(number)
            at.setdefault(second, []).append(number)
    used: set[int] = set()
    found = []
    # Open lines from their ends first; what is left then are closed ones.
    for start in (*(node for node, numbers in at.items() if len(numbers) != 2), *at):
        for number in at[start]:
            if number not in used:
                path, numbers = _walk(start, number, pairs, at)
                used.update(numbers)
                found.append(Joined(points[path], tuple(numbers)))
    return found


def _walk(
    start: int, number: int, pairs: list[tuple[int, int]], at: dict[int, list[int]]
) -> tuple[list[int], list[int]]:
    """The points and segments from a point, through a segment, to where the line ends, branches, or closes."""
    path, numbers = [start], [number]
    while True:
        first, second = pairs[numbers[-1]]
        path.append(second if path[-1] == first else first)
        ending = at[path[-1]]
        if len(ending) != 2 or path[-1] == start:
            return path, numbers
        numbers.append(ending[1] if ending[0] == numbers[-1] else ending[0])


def _nodes(
    ends: Float[np.ndarray, "ends two"], near: float
) -> tuple[Int[np.ndarray, " ends"], Float[np.ndarray, "nodes two"]]:
    """Which point each end is, and where the points are: looked for in a grid of cells as wide as `near`."""
    grid: dict[tuple[int, int], list[int]] = {}
    points: list[list[float]] = []
    found = []
    for x, y in ends.tolist():
        column, row = int(x // near), int(y // near)
        around = (grid.get((column + right, row + up), ()) for right in (0, -1, 1) for up in (0, -1, 1))
        close = (
            one for each in around for one in each if max(abs(points[one][0] - x), abs(points[one][1] - y)) <= near
        )
        node = next(close, None)
        if node is None:
            node = len(points)
            points.append([x, y])
            grid.setdefault((column, row), []).append(node)
        found.append(node)
    return np.array(found, np.int64), np.array(points).reshape(-1, 2)
