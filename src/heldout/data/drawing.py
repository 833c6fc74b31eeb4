"""Draws one part from a pool of examples: a share of every class, by whole clusters.

The draw is random and the counts are exact where clusters allow it:

1. A target for each class, by the method of largest remainders.
2. Every cluster gets a random number between 0 and 1. Clusters of several examples whose number is below the
   share are taken while they fit, so that a large cluster is as likely in the part as its share says.
3. Single examples fill what is left, those with the lowest numbers first. Without clusters this is all.
4. What single examples could not fill, further clusters do, small ones first: those that bring the counts
   nearer to the targets, then those with a class that has none yet.

No step takes so much of a class that the parts still to be made could not have it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.data.groups import distinct

# Class -> number of examples, of one cluster.
_Counts = dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The examples that may be drawn.

    Attributes:
        indices: Where they stand among all examples, ascending.
        labels: Their classes.
        clusters: 0, 1, ... in the order of first appearance, so that the draw depends on what belongs
            together and not on how the clusters were numbered.
        n_clusters_a_class: In how many clusters each class occurs.
    """

    indices: Int[np.ndarray, " pool"]
    labels: Int[np.ndarray, " pool"]
    clusters: Int[np.ndarray, " pool"]
    n_clusters_a_class: Int[np.ndarray, " classes"]

    @classmethod
    def of(
        cls,
        indices: Int[np.ndarray, " pool"],
        labels: Int[np.ndarray, " pool"],
        clusters: Int[np.ndarray, " pool"],
        n_classes: int,
    ) -> "Pool":
        """The pool of these examples, with any numbers for clusters."""
        _, first, inverse = np.unique(clusters, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        clusters = rank[inverse]
        pairs = distinct(labels * max(1, len(first)) + clusters) // max(1, len(first))
        return cls(indices, labels, clusters, np.bincount(pairs, minlength=n_classes))

    def without(self, chosen: Bool[np.ndarray, " pool"]) -> "Pool":
        """The pool that is left."""
        keep = ~chosen
        return Pool.of(self.indices[keep], self.labels[keep], self.clusters[keep], len(self.n_clusters_a_class))


class _Filling:
    """How far a part is filled: the one state of a draw."""

    def __init__(self, pool: Pool, share: float, reserve: Int[np.ndarray, " classes"]) -> None:
        n_classes = len(reserve)
        n_examples = np.bincount(pool.labels, minlength=n_classes)
        self.target = targets(n_examples, share, reserve)
        self.taken = np.zeros(n_classes, np.int64)
        # Clusters of each class that may still be taken.
        self.spare = np.maximum(0, pool.n_clusters_a_class - reserve)
        self.chosen: set[int] = set()

    def fits(self, counts: _Counts) -> bool:
        return all(self.taken[c] + n <= self.target[c] for c, n in counts.items())

    def improves(self, counts: _Counts) -> bool:
        # The change of the squared distance to the target, summed over classes.
        return bool(sum(n * (n + 2 * (self.taken[c] - self.target[c])) for c, n in counts.items()) < 0)

    def is_needed(self, counts: _Counts) -> bool:
        return any(self.taken[c] == 0 for c in counts)

    def take(self, clusters: Iterable[tuple[int, _Counts]], rule: Callable[[_Counts], bool]) -> None:
        for cluster, counts in clusters:
            if cluster not in self.chosen and rule(counts) and all(self.spare[c] > 0 for c in counts):
                self.chosen.add(cluster)
                for c, n in counts.items():
                    self.taken[c] += n
                    self.spare[c] -= 1

    def take_singles(
        self, labels: Int[np.ndarray, " singles"], keys: Float[np.ndarray, " singles"]
    ) -> Bool[np.ndarray, " singles"]:
        """Which single examples fill what is left to the target, the lowest keys of each class first."""
        order = np.lexsort((keys, labels))
        n_of_class = np.bincount(labels, minlength=len(self.target))
        first = np.cumsum(n_of_class) - n_of_class
        rank = np.empty(len(labels), np.int64)
        rank[order] = np.arange(len(labels)) - first[labels[order]]
        n_wanted = np.minimum(self.target - self.taken, np.minimum(self.spare, n_of_class))
        self.taken += n_wanted
        self.spare -= n_wanted
        return np.asarray(rank < n_wanted[labels])


def targets(
    n_examples: Int[np.ndarray, " classes"], share: float, reserve: Int[np.ndarray, " classes"]
) -> Int[np.ndarray, " classes"]:
    """How many examples of each class make the part.

    The sum is `share` of all examples rounded to the nearest, and each class has its share rounded up or down
    (the method of largest remainders; among equal remainders the earlier class is rounded up). Then each class
    that is there gets at least one and leaves at least `reserve`, which can move the sum.

    Example:
        >>> targets(np.array([10, 8, 2]), 0.2, reserve=np.array([1, 1, 1])).tolist()
        [2, 2, 1]
    """
    quota = n_examples * share
    target = np.floor(quota).astype(np.int64)
    n_more = int(np.floor(quota.sum() + 0.5)) - int(target.sum())
    # Rounded, for 0.2 * 7 and 0.2 * 2 must have equal remainders.
    target[np.argsort(np.round(target - quota, 9), kind="stable")[:n_more]] += 1
    return np.clip(target, np.minimum(1, n_examples), np.maximum(0, n_examples - reserve))


def draw(
    pool: Pool, share: float, *, reserve: Int[np.ndarray, " classes"], generator: np.random.Generator
) -> Bool[np.ndarray, " pool"]:
    """Which examples of the pool make the part, by the steps at the top of this file.

    Args:
        pool: What to draw from.
        share: Of the examples of each class.
        reserve: How many clusters of each class must be left.
        generator: Gives one number a cluster.
    """
    sizes = np.bincount(pool.clusters)
    keys = generator.random(len(sizes))
    filling = _Filling(pool, share, reserve)
    several = sizes[pool.clusters] > 1
    clusters = sorted(_counts(pool, several).items(), key=lambda item: keys[item[0]])
    filling.take((item for item in clusters if keys[item[0]] < share), filling.fits)
    chosen = ~several
    chosen[chosen] = filling.take_singles(pool.labels[~several], keys[pool.clusters[~several]])
    smallest_first = sorted(clusters, key=lambda item: sizes[item[0]])
    filling.take(smallest_first, filling.improves)
    filling.take(smallest_first, filling.is_needed)
    return np.asarray(chosen | np.isin(pool.clusters, list(filling.chosen)))


def _counts(pool: Pool, chosen: Bool[np.ndarray, " pool"]) -> dict[int, _Counts]:
    """Cluster -> class -> number of examples, of the chosen examples."""
    found: dict[int, _Counts] = {}
    for cluster, label in zip(pool.clusters[chosen].tolist(), pool.labels[chosen].tolist(), strict=True):
        counts = found.setdefault(cluster, {})
        counts[label] = counts.get(label, 0) + 1
    return found
