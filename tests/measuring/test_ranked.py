import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.errors import UsageError
from heldout.measuring.ranked import ends_of_cells, ranked


def test_equal_probabilities_are_one_step() -> None:
    order = ranked(np.array([0.2, 0.9, 0.2, 0.5]), np.array([True, False, False, True]))
    assert order.probabilities.tolist() == [0.9, 0.5, 0.2]
    assert (order.positives.tolist(), order.negatives.tolist()) == ([0, 1, 1], [1, 0, 1])
    assert order.step.tolist() == [2, 0, 2, 1]
    assert (order.n_positives, order.n_negatives) == (2, 2)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(10, 2000), share=st.floats(0.01, 0.99), n_cells=st.integers(4, 300), seed=st.integers(0, 99))
def test_cells_are_few_and_hold_even_shares_of_both_kinds(n: int, share: float, n_cells: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    is_positive = generator.random(n) < share
    is_positive[0] = True
    order = ranked(generator.random(n), is_positive)
    ends = ends_of_cells(order, n_cells)
    assert len(ends) <= n_cells
    assert ends[-1] == len(order.probabilities) - 1
    assert np.flatnonzero(order.positives)[-1] in ends
    for counts in (order.positives, order.negatives):
        in_cells = np.diff(np.cumsum(counts)[ends], prepend=0)
        assert in_cells.max() <= counts.sum() / max((n_cells - 2) // 2, 1) + 1


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(UsageError, match=r"probabilities of shape \(2,\) stand beside labels of shape \(1,\)"):
        ranked(np.zeros(2), np.zeros(1, bool))
    with pytest.raises(UsageError, match="at least one example"):
        ranked(np.zeros(0), np.zeros(0, bool))
    with pytest.raises(UsageError, match="a probability is nan"):
        ranked(np.array([0.1, np.nan]), np.ones(2, bool))
