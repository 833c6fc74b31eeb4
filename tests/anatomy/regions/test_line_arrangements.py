"""Cells of lines, against linear programs for every pattern, random points, Euler's formula and scipy's polygons."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, HalfspaceIntersection

from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.line_arrangements import arrangement_of
from heldout.anatomy.regions.rules import written
from heldout.anatomy.regions.threshold_units import Step
from heldout.errors import UsageError
from make_regions import half_plane, has_room, lines_at_random, lines_of, signs_of, some_lines


def _patterns(text: str, step: Step = Step.AT_ZERO) -> dict[str, int]:
    return {written(cell.pattern): cell.dimension for cell in arrangement_of(lines_of(text), step).cells}


@given(some_lines(most=3))
@settings(max_examples=25, deadline=None)
def test_exactly_the_patterns_are_found_into_which_a_disc_fits(lines: tuple[HalfPlane, ...]) -> None:
    found = {cell.pattern for cell in arrangement_of(lines).cells if cell.dimension == 2}
    assert found == {pattern for pattern in product((False, True), repeat=len(lines)) if has_room(lines, pattern)}


@given(some_lines(), st.sampled_from(Step))
@settings(max_examples=20, deadline=None)
def test_every_cell_has_its_point_and_euler_counts_them(lines: tuple[HalfPlane, ...], step: Step) -> None:
    plane = arrangement_of(lines, step)
    for cell in plane.cells:
        assert tuple(step.fires(line.at(cell.point)) for line in lines) == cell.pattern
        if cell.dimension == 2:
            assert all(line.at(cell.point) != 0 for line in lines)
    # Euler's formula for a plane cut by lines, where edges and cells may go on for ever: V - E + F = 1.
    assert len(plane.crossings) - plane.n_edges + plane.n_pieces == 1
    assert plane.n_pieces == 1 + len(plane.lines) + sum(n_meeting - 1 for _, n_meeting in plane.crossings)


@pytest.mark.parametrize("n_lines", [1, 2, 5, 9, 12])
def test_lines_in_general_position(n_lines: int) -> None:
    plane = arrangement_of(lines_at_random(n_lines, n_lines))
    assert plane.n_pieces == len(plane.cells) == 1 + n_lines + comb(n_lines, 2)
    assert sum(cell.area is not None for cell in plane.cells) == comb(n_lines - 1, 2)
    assert len(plane.crossings) == comb(n_lines, 2)


def test_no_random_point_lies_in_a_cell_that_was_not_found() -> None:
    lines = lines_at_random(8, 3)
    points = np.random.default_rng(0).normal(0, 3, (20_000, 2))
    met = {tuple(row) for row in signs_of(lines, points).tolist()}
    found = {cell.pattern for cell in arrangement_of(lines).cells}
    assert met <= found
    assert len(met) > 20


def test_areas_agree_with_scipy() -> None:
    lines = lines_at_random(7, 11)
    bounded = [cell for cell in arrangement_of(lines).cells if cell.area is not None]
    assert len(bounded) == 15
    for cell in bounded:
        rows = [
            [(-1 if fires else 1) * float(number) for number in (*each.weights, each.bias)]
            for each, fires in zip(lines, cell.pattern, strict=True)
        ]
        corners = HalfspaceIntersection(
            np.array(rows), np.array([float(number) for number in cell.point])
        ).intersections
        assert float(cell.area or 0) == pytest.approx(ConvexHull(corners).volume, rel=1e-6)


def test_areas_are_exact() -> None:
    (inside,) = (
        cell for cell in arrangement_of(lines_of("x1 >= 0; x2 >= 0; x1 + 2 x2 <= 1/3")).cells if all(cell.pattern)
    )
    assert inside.area == Fraction(1, 36)


def test_the_strip_has_three_cells() -> None:
    assert _patterns("x1 >= 0; x1 >= 1") == {"11": 2, "10": 2, "00": 2}


@pytest.mark.parametrize(
    ("text", "at_zero", "above_zero"),
    [
        # Only points of the line itself have both, or neither.
        ("x1 >= 0; x1 <= 0", {"10": 2, "01": 2, "11": 1}, {"10": 2, "01": 2, "00": 1}),
        # Three lines through one point that look away from each other.
        (
            "x1 >= 0; x2 >= 0; x1 + x2 <= 0",
            dict.fromkeys(["110", "101", "011", "100", "010", "001"], 2) | {"111": 0},
            dict.fromkeys(["110", "101", "011", "100", "010", "001"], 2) | {"000": 0},
        ),
        ("x1 >= 0; 2 x1 >= 0", {"11": 2, "00": 2}, {"11": 2, "00": 2}),
    ],
)
def test_patterns_of_lines_alone(text: str, at_zero: dict[str, int], above_zero: dict[str, int]) -> None:
    assert _patterns(text) == at_zero
    assert _patterns(text, Step.ABOVE_ZERO) == above_zero


def test_points_of_cells_have_few_digits() -> None:
    cells = arrangement_of(lines_of("x1 >= 0; x1 <= 1; x2 >= 0; x2 <= 1")).cells
    assert cells[0].point == (Fraction(1, 2), Fraction(1, 2))
    assert all(coordinate.denominator <= 2 for cell in cells for coordinate in cell.point)


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(UsageError, match="there are 25 lines"):
        arrangement_of([half_plane(1, number, number * number) for number in range(25)])
