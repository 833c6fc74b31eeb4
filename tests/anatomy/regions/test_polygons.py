"""Polygons, against matplotlib's point-in-path, scipy's convex hulls and hand values."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.spatial import ConvexHull

from heldout.anatomy.regions.polygons import edge_half_planes, holds_point, holds_points, polygon_of
from heldout.errors import UsageError
from make_regions import CORNER, SQUARE, corners_of

STAR = "0,3 1,1 3,1 1.5,-0.5 2,-3 0,-1 -2,-3 -1.5,-0.5 -3,1 -1,1"


def test_the_unit_square_has_four_edges_with_the_interior_on_the_positive_side() -> None:
    polygon = polygon_of(corners_of(SQUARE))
    found = [(*map(int, each.weights), int(each.bias)) for each in edge_half_planes(polygon)]
    assert found == [(0, 1, 0), (-1, 0, 1), (0, -1, 1), (1, 0, 0)]
    assert polygon.area == 1
    assert polygon.is_convex
    assert polygon.notes == ()


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("0,0 0,1 1,1 1,0", "the corners were given clockwise"),
        ("0,0 1,0 1,1 0,1 0,0", "the first point is repeated at the end"),
        ("0,0 0,0 1,0 1,1 1,1 0,1", "2 repeated points are left out"),
        ("0,0 0.5,0 1,0 1,1 0,1", r"\(0.5, 0\) lies on a straight edge"),
    ],
)
def test_what_can_be_put_right_is_and_is_noted(text: str, note: str) -> None:
    polygon = polygon_of(corners_of(text))
    assert polygon.area == 1
    assert len(polygon.corners) == 4
    assert len(polygon.notes) == 1
    assert note.replace("\\", "") in polygon.notes[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0,0 1,0", "there are 2 different points"),
        ("0,0 1,1 2,2 3,3", "all points lie on one line"),
        ("0,0 2,2 2,0 0,2", r"the edges \(0, 0\) to \(2, 2\) and \(2, 0\) to \(0, 2\) meet"),
        ("0,0 2,0 1,0 1,1", r"turns back on itself at \(2, 0\)"),
        ("0,0 4,0 4,4 2,0 0,4", "meet"),  # a corner on another edge
        ("0,0 2,0 2,2 4,2 4,4 2,4 2,2 0,2", "meet"),  # a corner met twice
    ],
)
def test_what_is_no_polygon_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"this is no polygon: .*{what}"):
        polygon_of(corners_of(text))


def test_inward_corners_are_named() -> None:
    polygon = polygon_of(corners_of(CORNER))
    assert polygon.reflex_corners == ((Fraction(1), Fraction(1)),)
    assert polygon.area == 3
    assert len(polygon_of(corners_of(STAR)).reflex_corners) == 5


def test_edges_of_one_line_and_side_share_a_half_plane() -> None:
    teeth = polygon_of(corners_of("0,0 3,0 3,2 2,2 2,1 1,1 1,2 0,2"))
    assert len(edge_half_planes(teeth)) == 7  # both teeth end at x2 <= 2


@pytest.mark.parametrize("text", [SQUARE, CORNER, STAR])
def test_points_inside_agree_with_matplotlib_and_exactly_with_each_other(text: str) -> None:
    polygon = polygon_of(corners_of(text))
    points = np.random.default_rng(1).uniform(-4, 4, (3000, 2))
    corners = np.array([[float(number) for number in corner] for corner in polygon.corners])
    expected = Path(corners).contains_points(points)
    assert np.array_equal(holds_points(polygon, points), expected)
    for point, inside in zip(points[:200].tolist(), expected[:200], strict=True):
        exactly = (Fraction(point[0]), Fraction(point[1]))
        assert holds_point(polygon, exactly, with_edge=False) == inside


@pytest.mark.parametrize("with_edge", [True, False])
def test_points_of_the_edge_are_as_asked(with_edge: bool) -> None:
    polygon = polygon_of(corners_of(CORNER))
    for start, end in polygon.edges:
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        assert holds_point(polygon, middle, with_edge=with_edge) is with_edge
        assert holds_point(polygon, start, with_edge=with_edge) is with_edge
    # On the prolongation of an edge, but not on it.
    assert holds_point(polygon, (Fraction(1), Fraction(1, 2)), with_edge=False)
    assert not holds_point(polygon, (Fraction(3), Fraction(1)), with_edge=True)


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=5, max_size=12, unique=True))
@settings(max_examples=40, deadline=None)
def test_a_convex_hull_is_a_convex_polygon_of_the_same_area(points: list[tuple[int, int]]) -> None:
    cloud = np.array(points, dtype=float)
    if np.linalg.matrix_rank(cloud - cloud[0]) < 2:
        return
    hull = ConvexHull(cloud)
    polygon = polygon_of([(Fraction(points[at][0]), Fraction(points[at][1])) for at in hull.vertices[::-1]])
    assert polygon.is_convex
    assert float(polygon.area) == pytest.approx(hull.volume)
    assert all(half_plane.at(corner) >= 0 for half_plane in edge_half_planes(polygon) for corner in polygon.corners)
