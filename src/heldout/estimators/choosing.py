"""The part of the rows that choices are made on, and the choices that are made there for every kind of model."""

import logging
from typing import TypeVar

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike

from heldout.data.drawing import Pool, draw
from heldout.data.examples import PARTS
from heldout.data.groups import joined
from heldout.errors import DataError
from heldout.plan import Plan
from heldout.randomness import stream
from heldout.training.classifier import Classifier
from heldout.training.row_classifier import RowClassifier

log = logging.getLogger(__name__)
AnyClassifier = TypeVar("AnyClassifier", Classifier, RowClassifier)


def joined_groups(copies: Int[np.ndarray, " examples"], groups: ArrayLike | None) -> Int[np.ndarray, " examples"]:
    """A number an example, equal where copies or groups join them.

    Args:
        copies: A number an example, equal for copies of each other.
        groups: One an example, of any type; None for no groups.

    Raises:
        DataError: Not one group an example.

    Example:
        >>> joined_groups(np.array([0, 1, 1]), ["a", "a", "b"]).tolist()
        [0, 0, 0]
    """
    if groups is None:
        return copies
    values = np.asarray(groups)
    if values.shape != copies.shape:
        raise DataError(
            f"there are {len(copies):,} examples, and groups of shape {values.shape}",
            expected="one group an example",
            fix="check X and groups",
        )
    return joined(copies, np.unique(values, return_inverse=True)[1])


def parted(
    labels: Int[np.ndarray, " examples"],
    clusters: Int[np.ndarray, " examples"],
    *,
    plan: Plan,
    has_groups: bool,
) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " validation"]]:
    """What is fitted to and what choices are made on: a stratified draw by whole clusters, as for a run.

    One cluster of each class at least stays in train. Where no example can be spared, as of two rows, both are all.

    Args:
        labels: Of all examples.
        clusters: Examples with the same number are not parted.
        plan: Its validation share and seed count.
        has_groups: Whether clusters were asked for, so that choices on train would break a promise.

    Raises:
        DataError: Groups leave no validation part.
    """
    n_classes = int(labels.max()) + 1
    everything = np.arange(len(labels))
    pool = Pool.of(everything, labels, clusters, n_classes)
    generator = stream(plan.seed, "split", PARTS.index("validation"))
    is_chosen = draw(pool, plan.data.validation_share, reserve=np.ones(n_classes, np.int64), generator=generator)
    if is_chosen.any():
        return np.flatnonzero(~is_chosen), np.flatnonzero(is_chosen)
    if has_groups:
        raise DataError(
            "groups leave no example for the validation part, on which the classifier is chosen",
            expected="two groups at least of some class",
            fix="add examples of other groups, or leave groups out",
        )
    log.warning("of %d examples none can be spared for validation: choices are made on train", len(labels))
    return everything, everything
