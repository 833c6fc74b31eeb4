"""Folds for cross-validation: whole clusters in each, and of each class as equal numbers as these allow."""

import numpy as np
from jaxtyping import Int


def make_folds(
    labels: Int[np.ndarray, " examples"],
    clusters: Int[np.ndarray, " examples"],
    *,
    n_folds: int,
    generator: np.random.Generator,
) -> Int[np.ndarray, " examples"]:
    """A fold for each example, 0 to `n_folds` - 1.

    Clusters are dealt in turn, class by class (that of a cluster's first example), the larger ones first and in random
    order among equals.

    Args:
        labels: Of the examples.
        clusters: Examples with the same number stay in one fold.
        n_folds: How many, at least 2.
        generator: Decides which clusters of equal size go where.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> folds = make_folds(np.repeat([0, 1], 10), np.arange(20), n_folds=5, generator=generator)
        >>> np.bincount(folds).tolist(), np.bincount(folds[:10]).tolist()
        ([4, 4, 4, 4, 4], [2, 2, 2, 2, 2])
    """
    _, first, cluster, sizes = np.unique(clusters, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((generator.random(len(first)), -sizes, labels[first]))
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % n_folds
    return fold[cluster]
