"""The cells of ReLU networks, against the networks themselves."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anatomy.networks import KINDS, WINDOW, Kind, Network, depths, forward, random_network, random_points
from heldout.anatomy.regions.convex_polygons import Window, area_of
from heldout.anatomy.regions.relu_cells import ReluCells, relu_cells
from heldout.errors import UsageError
from heldout.models.table_models import Layers


def is_same_pattern(patterns: np.ndarray, sums: np.ndarray) -> bool:
    """Whether units are on where their sums are above 0; sums that cancel to nothing have a sign by rounding alone."""
    return bool((patterns == (sums > 0))[np.abs(sums) > 1e-9].all())


def check_cells(network: Network, cells: ReluCells, generator: np.random.Generator) -> None:
    """All that must hold of the cells of any network."""
    points = random_points(generator, 60)
    outputs, sums = forward(network, points)
    # They tile the window, and no two have one pattern.
    assert cells.areas.sum() == pytest.approx(WINDOW.area, rel=1e-9)
    assert cells.areas.tolist() == pytest.approx([area_of(polygon) for polygon in cells.polygons])
    assert len({pattern.tobytes() for pattern in cells.patterns}) == len(cells)
    deep = np.array([depths(polygon, points) for polygon in cells.polygons])
    assert ((deep > 1e-9).sum(axis=0) <= 1).all()
    assert (deep.max(axis=0) > -1e-9).all()
    # Each point is in one, with its pattern, and the plane of that cell is the network.
    places = cells.locate(points)
    clear = deep.max(axis=0) > 1e-6
    assert (deep.argmax(axis=0) == places)[clear].all()
    assert is_same_pattern(cells.patterns[places[clear]], sums[clear])
    np.testing.assert_allclose(cells.outputs_by_cell(points, places), outputs, atol=1e-9)
    np.testing.assert_allclose(cells.outputs(points), outputs, atol=1e-12)
    # Each cell is real: its middle has its pattern.
    middles = np.array([polygon.mean(axis=0) for polygon in cells.polygons])
    wide = [depths(polygon, middle[None])[0] > 1e-6 for polygon, middle in zip(cells.polygons, middles, strict=True)]
    assert is_same_pattern(cells.patterns[wide], forward(network, middles[wide])[1])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_cells_tile_the_window_and_are_the_network(seed: int, kind: Kind) -> None:
    generator = np.random.default_rng(seed)
    network = random_network(generator, kind)
    check_cells(network, relu_cells(*network, WINDOW), generator)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_cells_tile_the_window_and_are_the_network_for_many(kind: Kind) -> None:
    for seed in range(400):
        generator = np.random.default_rng(seed)
        network = random_network(generator, kind)
        check_cells(network, relu_cells(*network, WINDOW), generator)


def test_as_many_cells_as_patterns_on_a_fine_grid() -> None:
    generator = np.random.default_rng(5)
    network = (
        [generator.normal(size=(4, 2)), generator.normal(size=(4, 4)), np.ones((2, 4))],
        [
            generator.normal(size=4),
            generator.normal(size=4),
            np.zeros(2),
        ],
    )
    cells = relu_cells(*network, WINDOW)
    x, y = np.meshgrid(np.linspace(-2, 2.5, 361), np.linspace(-1.5, 2, 281))
    values, patterns = np.stack([x.ravel(), y.ravel()], axis=1), []
    for weight, bias in zip(network[0][:-1], network[1][:-1], strict=True):
        sums = values @ weight.T + bias
        patterns.append(sums > 0)
        values = np.maximum(sums, 0)
    found = {row.tobytes() for row in np.concatenate(patterns, axis=1)}
    assert cells.areas.min() > 1e-3  # about seven points of the grid
    assert found == {row.tobytes() for row in cells.patterns}
    assert len(cells) > 20


def test_the_cells_of_two_axes_by_hand() -> None:
    cells = relu_cells([np.eye(2), np.array([[1.0, -1.0]])], [np.zeros(2), np.array([0.5])], Window(-1, 2, -1, 3))
    assert cells.areas.tolist() == [6, 3, 2, 1]
    assert cells.patterns.astype(int).tolist() == [[1, 1], [0, 1], [1, 0], [0, 0]]
    assert cells.slopes[:, 0].tolist() == [[1, -1], [0, -1], [1, 0], [0, 0]]
    assert cells.constants[:, 0].tolist() == [0.5] * 4
    assert [sorted(line.tolist()) for (line,) in cells.unit_lines] == [[[0, -1], [0, 3]], [[-1, 0], [2, 0]]]


def test_the_line_of_a_deeper_unit_bends_where_it_crosses_one_before_it() -> None:
    # The second layer is on where |x| > 0.5: two straight pieces.
    weights = [np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([[1.0, 1.0]]), np.ones((2, 1))]
    cells = relu_cells(weights, [np.zeros(2), np.array([-0.5]), np.zeros(2)], Window(-1, 1, -1, 1))
    assert cells.n_after == (2, 4)
    assert sorted(piece[:, 0].tolist() for piece in cells.unit_lines[2]) == [[-0.5, -0.5], [0.5, 0.5]]


def test_a_network_without_hidden_layer_has_one_cell() -> None:
    cells = relu_cells([np.array([[1.0, 2.0], [0.0, 0.0]])], [np.zeros(2)], WINDOW)
    assert (len(cells), cells.n_after, cells.widths, cells.patterns.shape) == (1, (), (), (1, 0))
    assert cells.locate(np.array([[0.0, 0.0], [9.0, 0.0]])).tolist() == [0, -1]


def test_units_that_are_nothing_or_copies_cut_nothing() -> None:
    weight = np.array([[1.0, 1.0], [0.0, 0.0], [-3.0, -3.0], [0.0, 0.0]])
    network = [weight, np.zeros((2, 4))], [np.array([0.1, 0.0, -0.3, 2.0]), np.zeros(2)]
    cells = relu_cells(*network, WINDOW)
    assert cells.patterns.astype(int).tolist() == [[1, 0, 0, 1], [0, 0, 1, 1]]


def test_the_same_answers_as_the_model_of_a_run() -> None:
    generator = np.random.default_rng(3)
    sizes = [2, 12, 9, 3]
    weights = tuple(generator.normal(size=(b, a)).astype(np.float32) for a, b in pairwise(sizes))
    biases = tuple(generator.normal(size=b).astype(np.float32) for b in sizes[1:])
    cells, points = relu_cells(weights, biases, WINDOW), random_points(generator, 300)
    np.testing.assert_allclose(
        cells.outputs_by_cell(points, cells.locate(points)), Layers(weights, biases).logits(points), atol=1e-11
    )
    assert len(cells) > 50


def test_points_on_the_lines_are_of_a_cell_that_touches_them() -> None:
    generator = np.random.default_rng(1)
    network = random_network(generator, "whole")
    cells = relu_cells(*network, WINDOW)
    points = np.array([end for pieces in cells.unit_lines for piece in pieces for end in piece])
    places = cells.locate(points)
    assert len(points) > 5
    touching = [depths(cells.polygons[place], point[None])[0] for place, point in zip(places, points, strict=True)]
    assert min(touching) > -1e-9


def test_a_unit_whose_sum_cancels_to_rounding_does_not_lose_a_point() -> None:
    # 3 (0.1 x + 0.7 y + 0.11) - (0.3 x + 2.1 y + 0.33): nothing but the last digits of float64.
    network = (
        [np.array([[0.1, 0.7], [0.3, 2.1]]), np.array([[3.0, -1.0]]), np.ones((2, 1))],
        [np.array([0.11, 0.33]), np.zeros(1), np.zeros(2)],
    )
    cells, points = relu_cells(*network, WINDOW), random_points(np.random.default_rng(0), 500)
    assert (forward(network, points)[1][:, 2] > 0).any()
    assert not cells.patterns[:, 2].any()
    places = cells.locate(points)
    inside = np.array(
        [depths(cells.polygons[place], point[None])[0] for place, point in zip(places, points, strict=True)]
    )
    assert inside.min() > -1e-9


def test_more_cells_than_asked_for_are_refused_at_once() -> None:
    generator = np.random.default_rng(0)
    weights = [generator.normal(size=(200, 2)), generator.normal(size=(200, 200)), np.ones((2, 200))]
    biases = [generator.normal(size=200), np.zeros(200), np.zeros(2)]
    with pytest.raises(UsageError, match="more than 100 cells"):
        relu_cells(weights, biases, WINDOW, most=100)


@pytest.mark.parametrize(
    ("weights", "biases"),
    [
        ([], []),
        ([np.ones((2, 3))], [np.zeros(2)]),
        ([np.ones((2, 2))], [np.zeros(3)]),
        ([np.ones((3, 2)), np.ones((2, 4))], [np.zeros(3), np.zeros(2)]),
        ([np.array([[np.nan, 1.0]])], [np.zeros(1)]),
        ([np.ones((2, 2))], [np.array([0.0, np.inf])]),
        ([np.ones(2)], [np.zeros(2)]),
    ],
)
def test_layers_that_make_no_network_of_two_inputs_are_refused(
    weights: list[np.ndarray], biases: list[np.ndarray]
) -> None:
    with pytest.raises(UsageError, match="weights of shape"):
        relu_cells(weights, biases, WINDOW)
