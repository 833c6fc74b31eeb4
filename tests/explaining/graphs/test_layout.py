"""Where boxes go: forwards, apart from each other, with few crossings."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.explaining.graphs.layout import layout, spread

Graph = tuple[int, list[tuple[int, int]]]


@st.composite
def _graphs(draw: st.DrawFn) -> Graph:
    n = draw(st.integers(1, 12))
    pairs = [(start, end) for end in range(n) for start in range(end)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2 * n)) if pairs else []
    return n, edges


@settings(max_examples=30, deadline=None, derandomize=True)
@given(_graphs(), st.lists(st.floats(0.3, 2.0), min_size=12, max_size=12))
def test_edges_lead_forwards_and_boxes_never_touch(graph: Graph, sizes: list[float]) -> None:
    n, edges = graph
    tall = sizes[:n]
    found = layout(n, edges, tall, gap=0.2)
    for start, end in edges:
        assert found.layers[start] < found.layers[end]
        passed = [layer for layer, _ in found.bends[start, end]]
        assert passed == list(range(found.layers[start] + 1, found.layers[end]))
    for one, other in combinations(range(n), 2):
        if found.layers[one] == found.layers[other]:
            apart = abs(found.heights[one] - found.heights[other])
            assert apart >= (tall[one] + tall[other]) / 2 + 0.2 - 1e-9
    assert found.low <= min(middle - high / 2 for middle, high in zip(found.heights, tall, strict=True))
    assert found.high >= max(middle + high / 2 for middle, high in zip(found.heights, tall, strict=True))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(_graphs())
def test_long_edges_pass_beside_the_boxes(graph: Graph) -> None:
    n, edges = graph
    found = layout(n, edges, [1.0] * n, gap=0.2)
    for bends in found.bends.values():
        for layer, height in bends:
            beside = [found.heights[box] for box in range(n) if found.layers[box] == layer]
            assert all(abs(height - other) > 0.5 for other in beside)


def test_what_begins_a_path_stands_before_its_first_use() -> None:
    found = layout(5, [(0, 1), (1, 2), (3, 2), (2, 4)], [1.0] * 5, gap=0.2)
    assert found.layers == (0, 1, 2, 1, 3)


def test_a_chain_is_a_straight_line() -> None:
    found = layout(6, [(place, place + 1) for place in range(5)], [1.0] * 6, gap=0.2)
    assert np.ptp(found.heights) < 1e-9


def test_two_chains_do_not_cross() -> None:
    # 0 -> 3 -> 5 and 1 -> 2 -> 4: in the order of their numbers the edges would cross twice.
    edges = [(0, 3), (3, 5), (1, 2), (2, 4)]
    found = layout(6, edges, [1.0] * 6, gap=0.2)
    assert np.sign(found.heights[0] - found.heights[1]) == np.sign(found.heights[3] - found.heights[2])
    assert np.sign(found.heights[3] - found.heights[2]) == np.sign(found.heights[5] - found.heights[4])


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.2, 2), st.floats(0.1, 3)), min_size=1, max_size=5))
def test_spreading_is_the_best_that_the_order_allows(each: list[tuple[float, float, float]]) -> None:
    from scipy.optimize import minimize

    wishes, heights, weights = (np.array(column) for column in zip(*each, strict=True))
    got = np.array(spread(list(wishes), list(heights), 0.3, list(weights)))
    gaps = [(one + other) / 2 + 0.3 for one, other in pairwise(heights)]
    assert all(np.diff(got) >= np.array(gaps) - 1e-9)
    limits = [
        {"type": "ineq", "fun": lambda middles, at=at, gap=gap: middles[at + 1] - middles[at] - gap}
        for at, gap in enumerate(gaps)
    ]
    start = np.concatenate([[0.0], np.cumsum(gaps)]) + wishes.mean()
    best = minimize(lambda middles: float(weights @ (middles - wishes) ** 2), start, constraints=limits, method="SLSQP")
    assert weights @ (got - wishes) ** 2 == pytest.approx(best.fun, rel=1e-4, abs=1e-5)
