import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.data.balance.imbalance import class_weights


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_all_classes_weigh_the_same_and_the_mean_weight_is_1(counts: list[int]) -> None:
    n = np.array(counts)
    weights = class_weights(n)
    assert np.average(weights, weights=n) == pytest.approx(1)
    totals = (weights * n)[n > 0]
    assert totals == pytest.approx(np.full(len(totals), totals[0]))


def test_an_absent_class_weighs_nothing() -> None:
    assert class_weights(np.array([0, 3, 3])).tolist() == [0.0, 1.0, 1.0]


def test_the_weights_are_scikit_learns() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat([0, 1, 2], [5, 80, 15])
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert class_weights(np.bincount(labels)) == pytest.approx(theirs)


def test_without_an_example_there_is_nothing_to_weigh() -> None:
    with pytest.raises(AssertionError, match="no example to weigh"):
        class_weights(np.array([0, 0]))
