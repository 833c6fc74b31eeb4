import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from heldout.errors import DataError
from heldout.estimators.choosing import joined_groups, parted
from heldout.plan import make_plan

PLAN = make_plan({"data.path": "X", "data.target": "y", "data.validation_share": 0.25})


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    n_clusters=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_row_has_one_part_no_cluster_two_and_no_class_is_missing_from_train(
    counts: list[int], n_clusters: int, seed: int
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    clusters = np.random.default_rng(seed).integers(n_clusters, size=len(labels))
    train, validation = parted(labels, clusters, plan=PLAN, has_groups=False)
    if len(train) == len(labels):
        np.testing.assert_array_equal(validation, train)
        return
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(len(labels)))
    assert not set(clusters[train]) & set(clusters[validation])
    assert set(labels[train]) == set(labels)


def test_the_share_holds_of_each_class() -> None:
    labels = np.repeat([0, 1], [80, 20])
    _, validation = parted(labels, np.arange(100), plan=PLAN, has_groups=False)
    assert np.bincount(labels[validation]).tolist() == [20, 5]


def test_groups_of_any_type_join_what_copies_do_not() -> None:
    copies = np.array([0, 1, 2, 2, 3])
    many: list[ArrayLike] = [["a", "a", "b", "c", "c"], [1.5, 1.5, 2.0, 3.0, 3.0], np.array([0, 0, 1, 2, 2])]
    for groups in many:
        joined = joined_groups(copies, groups)
        assert joined[0] == joined[1]
        assert joined[2] == joined[3] == joined[4] != joined[0]
    with pytest.raises(DataError, match=r"5 examples, and groups of shape \(2,\)"):
        joined_groups(copies, ["a", "b"])
