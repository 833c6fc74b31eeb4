"""How many folds there are, and what cannot be dealt."""

import pytest

from heldout.errors import DataError
from heldout.sweeping.preparing import _n_folds


@pytest.mark.parametrize(
    ("share", "n_clusters", "wanted"), [(0.2, 100, 5), (0.1, 100, 10), (0.2, 4, 4), (0.9, 100, 2), (0.001, 30, 30)]
)
def test_a_fold_has_the_share_of_validation_and_no_fold_is_empty(share: float, n_clusters: int, wanted: int) -> None:
    assert _n_folds(share, n_clusters) == wanted


def test_one_group_cannot_be_dealt() -> None:
    with pytest.raises(DataError, match="all of 1 group"):
        _n_folds(0.2, 1)
