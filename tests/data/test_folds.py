"""Folds: whole clusters, every class as evenly as they allow, the same for the same generator."""

import numpy as np
import pytest

from heldout.data.folds import make_folds


def generator() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("n_folds", [2, 3, 5, 10])
def test_every_class_is_dealt_evenly(n_folds: int) -> None:
    labels = np.repeat([0, 1, 2], [50, 23, 7])
    folds = make_folds(labels, np.arange(80), n_folds=n_folds, generator=generator())
    assert set(folds.tolist()) == set(range(n_folds))
    for label in range(3):
        sizes = np.bincount(folds[labels == label], minlength=n_folds)
        assert sizes.max() - sizes.min() <= 1
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1


def test_no_cluster_is_parted() -> None:
    clusters = np.arange(90) // 3
    folds = make_folds(np.arange(90) // 30, clusters, n_folds=5, generator=generator())
    assert all(len(set(folds[clusters == cluster].tolist())) == 1 for cluster in range(30))


def test_the_generator_alone_decides_among_equals() -> None:
    labels, clusters = np.zeros(40, np.int64), np.arange(40)
    first, again = (make_folds(labels, clusters, n_folds=4, generator=generator()) for _ in range(2))
    other = make_folds(labels, clusters, n_folds=4, generator=np.random.default_rng(4))
    assert (first == again).all()
    assert (first != other).any()
