"""Networks for regions: the values of the theory, and plain floats at random points by a way of their own."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.spatial import ConvexHull

from heldout.anatomy.regions.answers import Answer, region_answer
from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.polygons import Polygon, edge_half_planes, polygon_of
from heldout.anatomy.regions.rules import AtLeast, InPolygon, OneOf, read_formula
from heldout.anatomy.regions.threshold_units import Network, Neuron, Step, UnitValues
from make_regions import (
    CORNER,
    FIVE_LINES,
    MINUS_PLUS,
    SQUARE,
    WRITE_UP,
    ZERO_ONE,
    corners_of,
    lines_of,
    signs_of,
    some_lines,
)

SIX_POINTS = [("0.5", "0.5"), ("0.01", "0.99"), ("1.01", "0.5"), ("0.5", "-0.01"), ("2", "2"), ("-1", "3")]
INSIDE = [True, True, False, False, False, False]
some_values = st.sampled_from([ZERO_ONE, MINUS_PLUS, WRITE_UP, UnitValues(Fraction(1), Fraction(-2))])


def _polygon_answer(polygon: Polygon, values: UnitValues = ZERO_ONE, step: Step = Step.AT_ZERO) -> Answer:
    rule = InPolygon(polygon, with_edge=step is Step.AT_ZERO)
    return region_answer(edge_half_planes(polygon), rule, values=values, step=step, with_layers=not polygon.is_convex)


def _evaluated(network: Network, points: np.ndarray) -> np.ndarray:
    """The network in plain floats, layer by layer."""
    off, on = float(network.values.off), float(network.values.on)
    fires = signs_of(network.half_planes, points)
    for layer in network.layers:
        weights = np.array([[float(weight) for weight in neuron.weights] for neuron in layer])
        biases = np.array([float(neuron.bias) for neuron in layer])
        fires = np.where(fires, on, off) @ weights.T + biases > 0
    return np.asarray(fires[:, 0])


def _is_square(bias: str, step: Step) -> list[bool]:
    """The unit square's network with a bias of one's own, at six points."""
    found = _polygon_answer(polygon_of(corners_of(SQUARE)), step=step)
    network = Network(found.arrangement.half_planes, ZERO_ONE, step, ((Neuron((Fraction(1),) * 4, Fraction(bias)),),))
    return [network.answers_at((Fraction(x), Fraction(y))) for x, y in SIX_POINTS]


@pytest.mark.parametrize("bias", ["-4", "-3.5", "-3.0001"])
def test_the_unit_square_is_right_with_these_biases(bias: str) -> None:
    assert _is_square(bias, Step.AT_ZERO) == INSIDE


def test_the_unit_square_is_wrong_with_others() -> None:
    assert _is_square("-3", Step.AT_ZERO) == [True, True, True, True, False, False]
    assert _is_square("-4.0001", Step.AT_ZERO) == [False] * 6
    assert _is_square("-4", Step.ABOVE_ZERO) == [False] * 6
    assert _is_square("-3", Step.ABOVE_ZERO) == INSIDE


@pytest.mark.parametrize(("step", "interval"), [(Step.AT_ZERO, "[-4, -3)"), (Step.ABOVE_ZERO, "(-4, -3]")])
def test_the_interval_of_the_unit_square(step: Step, interval: str) -> None:
    found = _polygon_answer(polygon_of(corners_of(SQUARE)), step=step)
    assert found.readout is not None
    assert str(found.readout.interval) == interval
    assert found.readout.neuron.bias == Fraction(-7, 2)
    assert found.readout.margin == Fraction(1, 2)
    assert found.area == 1
    assert (found.k, found.certificate, found.layers) == (4, None, None)


def test_the_edge_belongs_to_the_region_or_not_as_the_step_says() -> None:
    polygon = polygon_of(corners_of(SQUARE))
    for step in Step:
        (network,) = _polygon_answer(polygon, step=step).networks
        for point in ((Fraction(0), Fraction(1, 2)), (Fraction(1), Fraction(1))):
            assert network.answers_at(point) is (step is Step.AT_ZERO)


def test_the_write_up_of_five_neurons() -> None:
    before = lines_of(FIVE_LINES.replace("x2 >= 0", "x2 >= -3"))
    after = lines_of(FIVE_LINES)
    found = [region_answer(lines, AtLeast(5), values=WRITE_UP, step=Step.ABOVE_ZERO) for lines in (before, after)]
    assert [str(each.readout.interval) for each in found if each.readout] == ["(-2.5, -2.2]"] * 2
    # The line of n5 moves up by 3 when its bias falls by 3, as its weight of x2 is 1: 4 wide and 3 high is cut off.
    assert [each.area for each in found] == [24, 12]
    assert after[4].bias - before[4].bias == -3
    readout = found[1].readout
    assert readout is not None
    assert Fraction("-2.4") in readout.interval
    assert (readout.neuron.weights, readout.neuron.bias) == ((Fraction(1),) * 5, Fraction("-2.35"))


def test_units_that_are_on_when_low_have_weights_below_zero() -> None:
    values = UnitValues(Fraction(1), Fraction(0))
    found = region_answer(lines_of("x1 >= 0; x2 >= 0"), AtLeast(2), values=values, step=Step.AT_ZERO)
    assert found.readout is not None
    assert found.readout.neuron.weights == (Fraction(-1), Fraction(-1))
    assert str(found.readout.interval) == "[0, 1)"


def test_exclusive_or_needs_a_layer_more() -> None:
    lines = lines_of("x1 >= 0; x2 >= 0")
    found = region_answer(lines, read_formula("h1 xor h2", 2), values=ZERO_ONE, step=Step.AT_ZERO)
    assert found.readout is None
    assert found.certificate is not None
    assert found.layers is not None
    (network,) = found.networks
    answers = [network.answers_at((Fraction(x), Fraction(y))) for x, y in [(1, 1), (1, -1), (-1, 1), (-1, -1)]]
    assert answers == [False, True, True, False]


def test_exclusive_or_of_parallel_lines_is_a_strip_and_needs_none() -> None:
    found = region_answer(
        lines_of("x1 >= 0; x1 >= 1"), read_formula("h1 xor h2", 2), values=ZERO_ONE, step=Step.AT_ZERO
    )
    assert found.readout is not None
    assert found.readout.neuron == Neuron((Fraction(2), Fraction(-2)), Fraction(-1))


def test_a_concave_corner_is_one_neuron_all_the_same() -> None:
    found = _polygon_answer(polygon_of(corners_of(CORNER)))
    assert found.readout is not None
    assert found.layers is not None
    assert len(found.networks) == 2
    assert found.conjunction.cell is not None
    assert found.area == 3
    assert found.conjunction.cell.area == 1


@pytest.mark.parametrize(
    ("text", "interval", "contradiction", "area"),
    [
        ("x1 >= 1; x1 <= 0", "(-infinity, -1)", (0, 1), 0),
        ("x1 >= 0; x1 <= 0", "[-2, -1)", (), 0),  # the line itself
        ("x1 >= 0; x1 >= 0", "[-2, 0)", (), None),
        ("x1 >= 0; x2 >= 0; x1 + x2 <= -1; x1 <= 9", "(-infinity, -3)", (0, 1, 2), 0),
    ],
)
def test_half_planes_that_repeat_or_contradict_each_other(
    text: str, interval: str, contradiction: tuple[int, ...], area: int | None
) -> None:
    lines = lines_of(text)
    found = region_answer(lines, AtLeast(len(lines)), values=ZERO_ONE, step=Step.AT_ZERO)
    assert found.readout is not None
    assert str(found.readout.interval) == interval
    assert found.readout.neuron.bias in found.readout.interval
    assert found.conjunction.contradiction == contradiction
    assert found.area == area


def test_redundant_half_planes_are_left_out() -> None:
    lines = lines_of("0 <= x1 <= 1; 0 <= x2 <= 1; x1 + x2 <= 5; x1 <= 1")
    found = region_answer(lines, AtLeast(6), values=ZERO_ONE, step=Step.AT_ZERO)
    assert found.readout is not None
    # One half-plane that is needed keeps the end where it is: its cell has all others.
    assert (str(found.nominal), str(found.readout.interval)) == ("[-6, -5)", "[-6, -5)")
    assert (found.conjunction.redundant, found.conjunction.kept) == ((1, 4, 5), (0, 1, 2, 3))
    assert str(found.conjunction.interval) == "[-4, -3)"


@pytest.mark.parametrize("text", ["h1 and not h1", "h1 or not h1"])
def test_a_region_of_nothing_and_of_everything(text: str) -> None:
    found = region_answer(lines_of("x1 >= 0"), read_formula(text, 1), values=ZERO_ONE, step=Step.AT_ZERO)
    (network,) = found.networks
    answers = {network.answers_at((Fraction(x), Fraction(0))) for x in (-1, 0, 1)}
    assert answers == {" or " in text}


@given(
    st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)), min_size=6, max_size=9, unique=True),
    some_values,
    st.sampled_from(Step),
    st.integers(0, 10**6),
)
@settings(max_examples=25, deadline=None)
def test_convex_polygons_by_one_neuron(
    points: list[tuple[int, int]], values: UnitValues, step: Step, seed: int
) -> None:
    cloud = np.array(points, dtype=float)
    if np.linalg.matrix_rank(cloud - cloud[0]) < 2:
        return
    corners = cloud[ConvexHull(cloud).vertices]
    polygon = polygon_of([(Fraction(int(x)), Fraction(int(y))) for x, y in corners])
    found = _polygon_answer(polygon, values, step)
    n_edges = len(polygon.corners)
    assert found.k == n_edges
    assert found.nominal is not None
    assert found.readout is not None
    assert found.nominal == found.readout.interval  # every edge is needed
    asked = np.random.default_rng(seed).uniform(-40, 40, (2000, 2))
    assert np.array_equal(_evaluated(found.networks[0], asked), Path(corners).contains_points(asked))


@given(some_lines(most=5), st.data(), some_values, st.sampled_from(Step))
@settings(max_examples=40, deadline=None)
def test_any_cells_of_any_lines(
    lines: tuple[HalfPlane, ...], data: st.DataObject, values: UnitValues, step: Step
) -> None:
    patterns = [tuple(row) for row in np.unique(signs_of(lines, _points()), axis=0).tolist()]
    chosen = frozenset(data.draw(st.sets(st.sampled_from(patterns))))
    found = region_answer(lines, OneOf(chosen), values=values, step=step, with_layers=True)
    assert (found.readout is None) is (found.certificate is not None)
    assert len(found.networks) == (found.readout is not None) + bool(found.wanted)
    expected = [tuple(row) in chosen for row in signs_of(lines, _points()).tolist()]
    for network in found.networks:
        assert _evaluated(network, _points()).tolist() == expected


def _points() -> np.ndarray:
    return np.random.default_rng(5).uniform(-5, 5, (400, 2))
