"""The check of a network: it passes what is right, and finds what is wrong, as often as areas say."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from heldout.anatomy.regions.answers import Answer, region_answer
from heldout.anatomy.regions.checks import View, check_answer, checked, patterns_many, view_of, wrong_points
from heldout.anatomy.regions.polygons import edge_half_planes, polygon_of
from heldout.anatomy.regions.rules import AtLeast, InPolygon
from heldout.anatomy.regions.threshold_units import Neuron, Step
from make_regions import CORNER, SQUARE, ZERO_ONE, corners_of, lines_of


def _polygon(text: str) -> Answer:
    polygon = polygon_of(corners_of(text))
    rule = InPolygon(polygon, with_edge=True)
    return region_answer(edge_half_planes(polygon), rule, values=ZERO_ONE, step=Step.AT_ZERO, with_layers=True)


def _lines(text: str, step: Step = Step.AT_ZERO) -> Answer:
    lines = lines_of(text)
    return region_answer(lines, AtLeast(len(lines)), values=ZERO_ONE, step=step)


def test_right_networks_pass() -> None:
    found = check_answer(_polygon(CORNER), n_random=20_000)
    assert len(found.checks) == 2
    for check in found.checks:
        assert (check.n_cells, check.n_wrong_cells, check.n_random, check.n_wrong) == (16, 0, 20_000, 0)


def test_a_wrong_bias_is_found_as_often_as_its_area_says() -> None:
    answer = _polygon(SQUARE)
    network = answer.networks[0]
    wrong = replace(network, layers=((Neuron((Fraction(1),) * 4, Fraction(-3)),),))
    view = view_of(answer)
    assert (view.x, view.y) == ((-0.3, 1.3), (-0.3, 1.3))
    check = checked(answer, wrong, view=view, n_random=20_000)
    assert check.n_wrong_cells == 4
    # With b = -3 the four strips beside the square fire too: 4 x 0.3 of 1.6 x 1.6.
    expected = 4 * 0.3 / 1.6**2
    assert check.n_wrong / 20_000 == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 20_000))


def test_points_on_an_edge_are_judged_exactly() -> None:
    answer = _polygon(SQUARE)
    view = View((Fraction(0), Fraction(0)), (Fraction(1), Fraction(1)))
    corners = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 1.0], [1.0, 0.25]])
    assert not wrong_points(answer, answer.networks[0], corners, view).any()


@pytest.mark.parametrize("far", ["1000000", "-99999999999"])
def test_far_from_the_origin_nothing_is_lost(far: str) -> None:
    low, high = Fraction(far), Fraction(far) + Fraction("0.0000001")
    text = f"{low},{low} {float(low):.0f},{far}"
    corners = [(low, low), (high, low), (high, high), (low, high)]
    polygon = polygon_of(corners)
    rule = InPolygon(polygon, with_edge=True)
    answer = region_answer(edge_half_planes(polygon), rule, values=ZERO_ONE, step=Step.AT_ZERO)
    (check,) = check_answer(answer, n_random=5000).checks
    assert (check.n_wrong, check.n_wrong_cells) == (0, 0), text
    patterns = patterns_many(answer.arrangement.half_planes, Step.AT_ZERO, np.array([[0.5, 0.5]]), view_of(answer))
    assert patterns.all()


@pytest.mark.parametrize("text", ["x1 >= 3", "x1 >= 0; x1 <= 1", "x1 >= 5; x2 >= 5", "x1 + x2 >= 0; x1 + x2 <= 0"])
def test_a_view_is_never_flat_and_shows_the_lines(text: str) -> None:
    answer = _lines(text)
    view = view_of(answer)
    width, height = view.sides
    assert min(width, height) > 0
    assert max(width, height) <= 2 * min(width, height)
    shown = np.stack(np.meshgrid(np.linspace(0, 1, 30), np.linspace(0.01, 0.98, 30)), axis=-1).reshape(-1, 2)
    patterns = patterns_many(answer.arrangement.half_planes, Step.AT_ZERO, shown, view)
    assert len(np.unique(patterns, axis=0)) == answer.arrangement.n_pieces


def test_a_crossing_far_off_does_not_shrink_the_rest() -> None:
    near = _lines("x1 >= 0; x2 >= 0; x1 + x2 <= 1")
    far = _lines("x1 >= 0; x2 >= 0; x1 + x2 <= 1; 1000000 x1 + 1000001 x2 <= 2000000")
    assert max(view_of(far).sides) < 4 * max(view_of(near).sides)


def test_a_place_and_a_point_belong_together() -> None:
    view = View((Fraction(-1), Fraction(2)), (Fraction(3), Fraction(4)))
    point = (Fraction(1, 3), Fraction(7, 2))
    assert view.point(view.inside(point)) == point
    assert view.inside(view.high) == (Fraction(1), Fraction(1))
