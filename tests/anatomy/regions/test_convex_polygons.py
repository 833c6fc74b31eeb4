"""Polygons cut by lines."""

import numpy as np
import pytest

from heldout.anatomy.regions.convex_polygons import Window, area_of, centre_of, cut, part_above
from heldout.errors import UsageError

SQUARE = Window(0, 1, 0, 1).corners


def test_the_parts_of_a_cut_sum_to_the_whole_and_lie_on_their_sides() -> None:
    generator = np.random.default_rng(0)
    polygon, seen = Window(-1, 3, 2, 5).corners, 0
    for _ in range(40):
        slope, point = generator.normal(size=2), generator.uniform(polygon.min(axis=0), polygon.max(axis=0))
        values = (polygon - point) @ slope
        if values.min() >= 0 or values.max() <= 0:
            continue
        halves = cut(polygon, values)
        assert area_of(halves.above) + area_of(halves.below) == pytest.approx(area_of(polygon), rel=1e-12)
        assert ((halves.above - point) @ slope).min() > -1e-12
        assert ((halves.below - point) @ slope).max() < 1e-12
        assert np.abs((halves.chord - point) @ slope).max() < 1e-12
        polygon = halves.above if area_of(halves.above) > area_of(halves.below) else halves.below
        seen += 1
    assert seen > 5


def test_a_line_through_two_corners_parts_a_square_into_triangles() -> None:
    halves = cut(SQUARE, np.array([0.0, 1.0, 0.0, -1.0]))
    assert halves.above.tolist() == [[0, 0], [1, 0], [1, 1]]
    assert halves.below.tolist() == [[0, 0], [1, 1], [0, 1]]
    assert sorted(halves.chord.tolist()) == [[0, 0], [1, 1]]


def test_the_chord_joins_the_two_ends_that_are_farthest_apart() -> None:
    # Two corners all but coincide on the line.
    polygon = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1e-12, 1.0], [0.0, 1.0 - 1e-12]])
    halves = cut(polygon, np.array([-1.0, 0.0, 1.0, 0.0, 0.0]))
    assert sorted(halves.chord.round(6).tolist()) == [[0, 1], [1, 0]]


def test_the_part_above_is_all_a_part_or_nothing() -> None:
    assert part_above(SQUARE, np.zeros(4)) is SQUARE
    assert area_of(part_above(SQUARE, np.array([-1.0, 1.0, 1.0, -1.0]))) == 0.5
    assert area_of(part_above(SQUARE, np.array([-1.0, -1.0, 0.0, 0.0]))) == 0


def test_a_small_polygon_far_from_the_origin_keeps_its_area() -> None:
    assert area_of(1e-6 * SQUARE + 1e3) == pytest.approx(1e-12, rel=1e-6)
    assert centre_of(SQUARE).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    "sides",
    [(1, 0, 0, 1), (0, 1, 1, 1), (0, float("nan"), 0, 1), (0, float("inf"), 0, 1), (0, 1, -1e200, 1e200)],
)
def test_a_window_without_an_inside_is_refused(sides: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match="the window is"):
        Window(*sides)


def test_the_sides_of_a_window_belong_to_it() -> None:
    window = Window(0, 2, 0, 1)
    assert window.holds(np.array([[0, 0], [2, 1], [2.1, 0.5], [1, -0.1]])).tolist() == [True, True, False, False]
    assert (window.area, window.longest) == (2, 2)
