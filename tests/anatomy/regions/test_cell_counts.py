"""How many cells there are, how many there can be, and which units make them."""

from math import comb

import numpy as np
import pytest

from anatomy.networks import WINDOW, random_network
from heldout.anatomy.regions.cell_counts import first_lines, most_cells, reached_cells, unit_facts
from heldout.anatomy.regions.convex_polygons import Window
from heldout.anatomy.regions.relu_cells import relu_cells


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
def test_lines_in_general_position_reach_the_bound(n: int) -> None:
    # Tangents of a circle; every two cross, no three in one point.
    angles = np.pi * (np.arange(n) + 0.3) / n
    weights = [np.stack([np.cos(angles), np.sin(angles)], axis=1), np.ones((1, n))]
    cells = relu_cells(weights, [-np.ones(n), np.zeros(1)], Window(-100, 100, -100, 100))
    assert len(cells) == most_cells([n]) == 1 + n + comb(n, 2)
    assert first_lines(cells).n_cells == len(cells)


def test_lines_through_one_point_are_counted_by_each_crossing_once() -> None:
    angles = np.array([0.1, 0.9, 1.7, 2.6])
    weights = [np.stack([np.cos(angles), np.sin(angles)], axis=1), np.ones((1, 4))]
    found = first_lines(relu_cells(weights, [np.zeros(4), np.zeros(1)], WINDOW))
    assert (found.n_lines, found.n_crossings, found.n_cells) == (4, 3, 8)


def test_counting_crossings_agrees_with_cutting() -> None:
    n_checked = 0
    for seed in range(60):
        network = random_network(np.random.default_rng(seed), ("normal", "whole", "degenerate")[seed % 3])
        cells = relu_cells(*network, WINDOW)
        if cells.widths:
            assert first_lines(cells).n_cells == cells.n_after[0]
            assert len(cells) <= most_cells(cells.widths)
            n_checked += 1
    assert n_checked > 30


def test_a_layer_that_folds_the_plane_repeats_the_lines_of_the_next() -> None:
    # |x| and |y|: four squares fall onto one, and what cuts that cuts all four.
    fold = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    lines, offsets = np.array([[1.0, 1.2], [1.3, 0.7], [1.0, -0.9]]), np.array([-1.0, -0.9, 0.05])
    weights = [fold, np.repeat(lines, 2, axis=1), np.ones((2, 3))]
    cells = relu_cells(weights, [np.zeros(4), offsets, np.zeros(2)], Window(-1, 1, -1, 1))
    assert len(cells) == reached_cells([4, 3]) == 4 * 7
    assert cells.n_after == (4, 28)


def test_bounds_by_hand() -> None:
    assert (most_cells([]), most_cells([64]), most_cells([64, 64])) == (1, 2081, 2081**2)
    # Behind one unit the plane is a line: 1 + n cells and no more.
    assert (most_cells([1, 5, 5]), most_cells([2, 2])) == (2 * 6 * 6, 16)
    assert (reached_cells([]), reached_cells([1]), reached_cells([2, 2]), reached_cells([6, 6])) == (None, None, 4, 198)


def test_a_narrow_layer_keeps_to_its_bound() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        weights = [generator.normal(size=(1, 2)), generator.normal(size=(5, 1)), generator.normal(size=(2, 5))]
        cells = relu_cells(weights, [generator.normal(size=1), generator.normal(size=5), np.zeros(2)], WINDOW)
        assert len(cells) <= most_cells([1, 5]) == 12


def test_what_each_unit_does_is_told() -> None:
    weights = [
        np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [5.0, 5.0], [-2.0, 0.0]]),
        np.array([[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]),
        np.ones((2, 2)),
    ]
    biases = [np.array([0.0, 1.0, -1.0, 99.0, 0.0]), np.array([0.0, 0.5]), np.zeros(2)]
    cells = relu_cells(weights, biases, Window(-1, 3, -1, 1))
    facts = unit_facts(cells)
    assert [unit.name for unit in facts] == ["1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2"]
    states = ["cuts", "always on", "always off", "always on", "cuts", "cuts", "always on"]
    assert [unit.state for unit in facts] == states
    assert [unit.same_as for unit in facts] == [0, 0, 0, 0, 1, 0, 0]
    assert [unit.share_on for unit in facts] == [0.75, 1, 0, 1, 0.25, 0.75, 1]
    # 2.1 is on where 1.1 is: it changes sides, but along a line that is there already.
    assert [unit.n_pieces for unit in facts] == [1, 0, 0, 0, 1, 0, 0]
