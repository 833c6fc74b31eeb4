"""What any model must beat: naming the commonest class, and the nearest mean of features."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.measuring.grouped import grouped_share
from heldout.measuring.scores import Score, share

# Rows of distances held at once: 4,096 x 1,000 classes in float32 are 16 MB. Assumed large enough to be fast.
BLOCK_ROWS = 4096


def majority(
    train_labels: Int[np.ndarray, " train"],
    labels: Int[np.ndarray, " examples"],
    n_classes: int,
    *,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> Score:
    """Accuracy of always naming the class most frequent in train, with its Wilson interval.

    Of equally frequent classes the first is named.

    Args:
        train_labels: What decides the class that is named.
        labels: Of the examples that are scored.
        n_classes: How many classes there are.
        groups: Examples with the same number belong together, and the interval is that of `grouped_share`; None where
            each is by itself.

    Assumes: independent examples, or groups.
    Breaks when: the classes' shares differ between train and the scored part (it is then no upper bound of
        what a constant answer can score).
    Checked by: tests/reference/test_scores_against_sklearn.py::test_majority_is_scikit_learns_dummy

    Example:
        >>> majority(np.array([0, 1, 1]), np.array([1, 0, 1, 1]), 2).value
        0.75
    """
    commonest = np.bincount(train_labels, minlength=n_classes).argmax()
    return _scored("majority", labels == commonest, groups)


def nearest_centroid(
    train_features: Float[np.ndarray, "train features"],
    train_labels: Int[np.ndarray, " train"],
    features: Float[np.ndarray, "examples features"],
    labels: Int[np.ndarray, " examples"],
    *,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> Score:
    """Accuracy of naming the class whose mean train feature is nearest, with its Wilson interval.

    Euclidean distance on features as they are; of equally near classes the first. A class without a train
    example is never named. Memory: the features, one mean a class, and 4,096 rows of distances.

    Args:
        train_features: What the means are of.
        train_labels: The class of each row.
        features: Of the examples that are scored.
        labels: Their classes.
        groups: As for `majority`.

    Assumes: independent examples, or groups; features of one scale.
    Breaks when: single features are far larger than the rest (they decide alone).
    Checked by: tests/reference/test_scores_against_sklearn.py::test_nearest_centroid_is_scikit_learns

    Example:
        >>> train = np.array([[0.0, 0.0], [0.0, 1.0], [9.0, 9.0]], dtype=np.float32)
        >>> nearest_centroid(train, np.array([0, 0, 1]), train, np.array([0, 1, 1])).n
        3
    """
    classes, index, n = np.unique(train_labels, return_inverse=True, return_counts=True)
    order = np.argsort(index, kind="stable")
    starts = np.cumsum(n) - n
    centroids = _sums_of_runs(train_features, order, starts) / n[:, None]
    # Distances do not change when all is shifted; around 0 single precision loses least of them.
    middle = centroids.mean(axis=0)
    centred = (centroids - middle).astype(np.float32)
    lengths = (centred**2).sum(axis=1)
    is_right = np.zeros(len(labels), bool)
    for start in range(0, len(labels), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        block = (features[rows] - middle).astype(np.float32)
        # |x - c|^2 = |x|^2 - 2 x.c + |c|^2, and |x|^2 is the same for every class
        nearest = (lengths - 2 * (block @ centred.T)).argmin(axis=1)
        is_right[rows] = classes[nearest] == labels[rows]
    return _scored("nearest_centroid", is_right, groups)


def _scored(name: str, is_right: Bool[np.ndarray, " examples"], groups: Int[np.ndarray, " examples"] | None) -> Score:
    """The share that is right, with the interval of independent examples or of groups."""
    score = share(name, int(is_right.sum()), len(is_right))
    if groups is None or len(np.unique(groups)) == len(groups):
        return score
    position = np.unique(groups, return_inverse=True)[1]
    interval = grouped_share(np.bincount(position[is_right], minlength=position.max() + 1), np.bincount(position))
    return replace(score, low=interval.low, high=interval.high, method=interval.method)


def _sums_of_runs(
    features: Float[np.ndarray, "train features"],
    order: Int[np.ndarray, " train"],
    starts: Int[np.ndarray, " runs"],
) -> Float[np.ndarray, "runs features"]:
    """Sums in float64 of the features of each run of `order`, without a second copy of all of them."""
    runs = np.split(order, starts[1:])
    return np.stack([features[run].sum(axis=0, dtype=np.float64) for run in runs])
