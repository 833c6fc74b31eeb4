"""Where the largest output of a network changes, against the network and by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from anatomy.networks import KINDS, WINDOW, Kind, Network, depths, forward, random_network, random_points
from heldout.anatomy.regions.convex_polygons import Window
from heldout.anatomy.regions.piecewise_boundary import PiecewiseBoundary, piecewise_boundary
from heldout.anatomy.regions.relu_cells import ReluCells, relu_cells

UNIT = Window(-2, 2, -2, 2)
# |x| and |y|, each of two units.
FOLD = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def two_answers(
    readout: list[float], constant: float, weight: np.ndarray = FOLD
) -> tuple[ReluCells, PiecewiseBoundary]:
    """The second is answered where readout . relu(weight x) + constant is above 0."""
    n = len(weight)
    cells = relu_cells([weight, np.array([[0.0] * n, readout])], [np.zeros(n), np.array([0.0, constant])], UNIT)
    return cells, piecewise_boundary(cells)


def check_boundary(
    network: Network, cells: ReluCells, shift: Float[np.ndarray, " outputs"], generator: np.random.Generator
) -> None:
    """All that must hold of the boundary of any network."""
    found = piecewise_boundary(cells, shift)
    points = random_points(generator, 60)
    scores = forward(network, points)[0] + shift
    ordered = np.sort(scores, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-6
    # The parts tile the window, and what is answered on them is what the network answers.
    assert sum(part.area for part in found.parts) == pytest.approx(WINDOW.area, rel=1e-7)
    told = np.full(len(points), -1)
    for part in found.parts:
        told[depths(part.polygon, points) > 1e-7] = part.answer
    assert (told >= 0).mean() > 0.9
    assert (told == scores.argmax(axis=1))[clear & (told >= 0)].all()
    # Along every piece two scores are equal, and no other is larger.
    for crossing in found.crossings:
        along = crossing.ends[0] + np.array([[0.0], [0.5], [1.0]]) * (crossing.ends[1] - crossing.ends[0])
        there = forward(network, along)[0] + shift
        first, second = crossing.answers
        np.testing.assert_allclose(there[:, first], there[:, second], atol=1e-7)
        np.testing.assert_allclose(there[:, first], there.max(axis=1), atol=1e-7)
    if not found.tied:
        check_that_no_piece_is_missing(network, found, points[clear])


def check_that_no_piece_is_missing(
    network: Network, found: PiecewiseBoundary, points: Float[np.ndarray, "points two"]
) -> None:
    """On the way from a point to the next the answer changes where a piece is crossed, and nowhere else."""
    pieces = np.array([crossing.ends for crossing in found.crossings]).reshape(-1, 2, 2)
    for begin, end in zip(points[:-1:4], points[1::4], strict=False):
        way = np.concatenate([[0.0], np.sort(_met(begin, end - begin, pieces)), [1.0]])
        for before, after in pairwise(way):
            if after - before < 1e-5:
                continue
            between = before + (after - before) * np.array([[0.05], [0.3], [0.6], [0.95]])
            scores = forward(network, begin + between * (end - begin))[0] + found.shift
            leads = np.diff(np.sort(scores, axis=1)[:, -2:]).ravel()
            assert len(set(scores.argmax(axis=1)[leads > 1e-7].tolist())) <= 1


def _met(begin: np.ndarray, way: np.ndarray, pieces: np.ndarray) -> Float[np.ndarray, " met"]:
    """How far along a way each piece that it crosses is met."""
    along, away = pieces[:, 1] - pieces[:, 0], pieces[:, 0] - begin
    across = way[0] * along[:, 1] - way[1] * along[:, 0]
    across = np.where(across == 0, np.nan, across)
    share = (away[:, 0] * along[:, 1] - away[:, 1] * along[:, 0]) / across
    place = (away[:, 0] * way[1] - away[:, 1] * way[0]) / across
    return np.asarray(share[(share > 0) & (share < 1) & (place > -1e-9) & (place < 1 + 1e-9)])


def shift_of(n: int, generator: np.random.Generator) -> Float[np.ndarray, " outputs"]:
    """Numbers added to the outputs; some outputs may never be answered."""
    shift = np.where(generator.random(n) < 0.2, -np.inf, 0.5 * generator.normal(size=n))
    return shift if np.isfinite(shift).any() and generator.random() < 0.5 else np.zeros(n)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_the_boundary_is_where_the_answer_of_the_network_changes(seed: int, kind: Kind) -> None:
    generator = np.random.default_rng(seed)
    network = random_network(generator, kind)
    cells = relu_cells(*network, WINDOW)
    check_boundary(network, cells, shift_of(len(network[1][-1]), generator), generator)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_boundary_is_where_the_answer_of_many_networks_changes(kind: Kind) -> None:
    for seed in range(400):
        generator = np.random.default_rng(seed)
        network = random_network(generator, kind)
        cells = relu_cells(*network, WINDOW)
        check_boundary(network, cells, shift_of(len(network[1][-1]), generator), generator)


def test_a_diamond_is_closed_and_has_four_sides() -> None:
    cells, found = two_answers([1.0] * 4, -1.0)
    (line,) = found.lines
    assert line.is_closed
    assert len(line.points) == 5
    assert sorted(line.points[:4].tolist()) == [[-1, 0], [0, -1], [0, 1], [1, 0]]
    assert sum(part.area for part in found.parts if part.answer == 0) == 2
    assert (found.n_cells, found.n_pieces, len(cells)) == (4, 4, 4)


def test_a_strip_has_two_lines() -> None:
    _, found = two_answers([1.0, 1.0, 0.0, 0.0], -0.5)
    assert sorted(set(line.points[:, 0].tolist()).pop() for line in found.lines) == [-0.5, 0.5]
    # Each is cut by the line of |y|'s two units, on y = 0.
    assert all(len(line.points) == 3 and not line.is_closed for line in found.lines)


def test_a_boundary_along_the_line_of_a_unit_is_found_once() -> None:
    # relu(x) - relu(-x) is x: the answer changes exactly where both units do.
    cells, found = two_answers([1.0, -1.0, 0.0, 0.0], 0.0)
    (line,) = found.lines
    assert sorted(line.points.tolist()) == [[0, -2], [0, 0], [0, 2]]
    assert len(cells) == 4
    assert sum(part.area for part in found.parts if part.answer == 1) == 8


def test_where_two_scores_are_equal_all_over_a_cell_the_first_is_answered() -> None:
    # relu(x) is 0 for every x < 0: a tie on half the window.
    cells, found = two_answers([1.0], 0.0, np.array([[1.0, 0.0]]))
    assert [cells.patterns[cell].tolist() for cell in found.tied] == [[False]]
    assert sorted((part.answer, part.area) for part in found.parts) == [(0, 8), (1, 8)]
    (line,) = found.lines
    assert sorted(line.points.tolist()) == [[0, -2], [0, 2]]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_boundary_closer_to_the_line_of_a_unit_than_rounding_is_found(sign: float) -> None:
    # 1e30 relu(x) against 1: the answer changes 1e-30 beside x = 0, in a cell that has its edge there.
    cells = relu_cells(
        [np.array([[1.0, 0.0]]), sign * np.array([[0.0], [1e30]])], [np.zeros(1), sign * np.array([0.0, -1.0])], UNIT
    )
    found = piecewise_boundary(cells)
    (line,) = found.lines
    assert sorted(line.points.tolist()) == [[0, -2], [0, 2]]
    assert not found.tied


def test_of_three_scores_that_are_equal_on_one_line_the_middle_one_is_never_answered() -> None:
    weights = [np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]])]
    found = piecewise_boundary(relu_cells(weights, [np.zeros(3)], UNIT))
    assert [line.answers for line in found.lines] == [(0, 2)]
    assert sorted((part.answer, part.area) for part in found.parts) == [(0, 8), (2, 8)]


def test_three_answers_meet_in_a_point() -> None:
    weights = [np.array([[1.0, 0.0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]])]
    found = piecewise_boundary(relu_cells(weights, [np.zeros(3)], UNIT))
    assert sorted(line.answers for line in found.lines) == [(0, 1), (0, 2), (1, 2)]
    for line in found.lines:
        assert np.abs(line.points).max(axis=1).min() < 1e-12
    assert sum(part.area for part in found.parts) == pytest.approx(16)


def test_an_answer_that_is_never_given_has_no_part() -> None:
    cells = relu_cells([np.eye(2)], [np.zeros(2)], UNIT)
    found = piecewise_boundary(cells, np.array([-np.inf, 0.0]))
    assert [part.answer for part in found.parts] == [1]
    assert (found.lines, found.n_pieces, found.n_cells) == ((), 0, 0)


def test_a_shift_moves_the_boundary_by_as_much() -> None:
    cells = relu_cells([np.array([[1.0, 0.0], [0.0, 0.0]])], [np.zeros(2)], UNIT)
    (line,) = piecewise_boundary(cells, np.array([0.0, 0.75])).lines
    assert line.points[:, 0].tolist() == [0.75, 0.75]
