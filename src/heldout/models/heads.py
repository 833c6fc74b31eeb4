"""The head of a frozen backbone, fitted to its optimum: multinomial logistic regression with an L2 penalty.

    minimise over W, b:   mean over examples of -log softmax(x W + b)[label]  +  l2 / 2 * |W|^2

The problem is convex, so there is one best head for each `l2`, and no learning rate, no epochs and no order of examples
to argue about. It is solved in the basis of the features' singular vectors, which is found once for a whole path of
`l2`. There the curvature at the start of each fit is known (`changing.py`), and L-BFGS in variables in which it is 1
(`likelihood.py`) needs 3 to 20 steps.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import ThreadpoolController

from heldout.models.changing import Layer
from heldout.models.likelihood import Likelihood, find_optimum, likelihood_of

# Strongest first, so that each fit starts from its neighbour; the scale is that of features with a root mean square
# of 1. What validation chose on flower_photos, catdog and flowers102 lies well inside (measured here, 2026-11-22).
L2_GRID = tuple(float(10.0 ** (exponent / 2)) for exponent in range(2, -11, -1))
# Above this many numbers the products are made in 32 bits, which takes half the time: 2^22 doubles are 32 MiB.
_MAX_DOUBLES = 2**22
# Largest entry of the gradient, in variables in which the curvature is about 1, at which a fit counts as done. There
# the objective is within 1e-6 nats of scikit-learn's (test_heads.py).
_TOLERANCE = 1e-5
_ROUGH = 1e-4  # where a head only serves to doubt labels by
# Multiplications in one product from which on a second thread pays (assumed: several milliseconds of one core).
_WORTH_THREADS = 2**27


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer and how it was fitted.

    Attributes:
        weight: What each feature adds to each class's logit.
        bias: Each class's logit at zero features.
        l2: The penalty it was fitted with, for centred features scaled to a root mean square of 1.
        objective: The minimised value: mean negative log-likelihood in nats plus the penalty.
        n_steps: L-BFGS steps taken.
        loss: The mean negative log-likelihood alone; nan where it was not told.
    """

    weight: Float[np.ndarray, "classes features"]
    bias: Float[np.ndarray, " classes"]
    l2: float
    objective: float
    n_steps: int
    loss: float = float("nan")

    def logits(self, features: Float[np.ndarray, "examples features"]) -> Float[np.ndarray, "examples classes"]:
        """One logit an example and class, as `linear_logits` computes them."""
        return linear_logits(self.weight, self.bias, features)


def linear_logits(
    weight: Float[np.ndarray, "classes features"],
    bias: Float[np.ndarray, " classes"],
    features: Float[np.ndarray, "examples features"],
) -> Float[np.ndarray, "examples classes"]:
    """One logit an example and class, in 64 bits.

    Each row is multiplied by itself: which others are asked about beside it changes not even the last bit.
    """
    # In one layout, for the product's last bit depends on it: a fitted head and the same head read from a file differ.
    weight, bias = np.ascontiguousarray(weight, np.float64), bias.astype(np.float64)
    with _fitting_threads(0):  # a row is too small for two threads
        rows = [weight @ row + bias for row in features.astype(np.float64)]
    return np.array(rows).reshape(len(rows), len(bias))


@dataclass(frozen=True, slots=True)
class _Basis:
    """Centred, scaled features in the basis of their right singular vectors."""

    coordinates: Float[np.ndarray, "examples rank"]
    directions: Float[np.ndarray, "features rank"]
    singular: Float[np.ndarray, " rank"]
    centre: Float[np.ndarray, " features"]
    scale: float


def fit_heads(
    features: Float[np.ndarray, "examples features"],
    labels: Int[np.ndarray, " examples"],
    n_classes: int,
    *,
    l2_grid: Sequence[float] = L2_GRID,
    class_weights: Float[np.ndarray, " classes"] | None = None,
) -> Iterator[Head]:
    """The best head for each penalty of the grid, one at a time, so that the caller can stop when it has seen enough.

    Args:
        features: Of the training examples, finite.
        labels: Index of each one's class, 0 to `n_classes` - 1.
        n_classes: How many logits the head has; a class without example gets the bias that the others leave it.
        l2_grid: Penalties, strongest first.
        class_weights: How much the examples of each class count; their mean over the examples should be 1, so that the
            penalties mean the same. None where all count the same.

    Raises:
        ValueError: No examples, a label out of range, or features that are not finite.
    """
    _check_labels(features, labels, n_classes)
    with _fitting_threads(features.size * len(features)):
        basis = _decompose(features)
    likelihood = likelihood_of(basis.coordinates, basis.singular, labels, n_classes, class_weights)
    yield from _fit_path(basis, likelihood, l2_grid)


def fit_without_folds(
    features: Float[np.ndarray, "examples features"],
    labels: Int[np.ndarray, " examples"],
    n_classes: int,
    *,
    folds: Int[np.ndarray, " examples"],
    l2: float,
) -> Iterator[tuple[int, Head]]:
    """For each fold the head that is fitted to all the others, at a cost of one decomposition for all of them.

    A rotation of the features leaves the optimum where it is, so the basis of all examples serves every fold; no label
    goes into it. Centre and scale are those of all examples: the bias makes up for the one, and the other changes the
    penalty by next to nothing. The fits are in 32 bits and end a little earlier, for they only serve to doubt labels.

    Args:
        features: Of all examples, finite.
        labels: Index of each one's class, 0 to `n_classes` - 1.
        n_classes: How many logits the heads have.
        folds: The number of each example's fold; at least two different ones.
        l2: The penalty of all heads.

    Raises:
        ValueError: As `fit_heads`.
    """
    _check_labels(features, labels, n_classes)
    # Two threads on two busy cores took 3.8 s for the decomposition of 400 examples, one takes 0.1 s (measured here,
    # 2026-11-22): the second is left out up to 16 times as much work as in `fit_heads`, which cannot be done without.
    with _fitting_threads(features.size * len(features) // 16):
        basis = _decompose(features)
    coordinates = basis.coordinates.astype(np.float32)
    for fold in np.unique(folds).tolist():
        others = folds != fold
        likelihood = likelihood_of(coordinates[others], basis.singular, labels[others], n_classes)
        yield fold, next(_fit_path(basis, likelihood, (l2,), _ROUGH))


def _check_labels(features: np.ndarray, labels: Int[np.ndarray, " examples"], n_classes: int) -> None:
    if len(features) == 0 or len(features) != len(labels):
        raise ValueError(f"expected as many labels as features and at least one, got {len(labels)} and {len(features)}")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels must lie in 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}")


def _fit_path(
    basis: _Basis, likelihood: Likelihood, l2_grid: Sequence[float], tolerance: float = _TOLERANCE
) -> Iterator[Head]:
    """The head of each penalty, each fit starting where the two before it point to."""
    rank = basis.coordinates.shape[1]
    fitted: list[tuple[float, Layer]] = []
    for l2 in map(float, l2_grid):
        start = _ahead(fitted, l2) if fitted else (np.zeros((likelihood.n_classes, rank)), likelihood.log_shares())
        with _fitting_threads(likelihood.coordinates.size * likelihood.n_classes):
            found = find_optimum(likelihood, l2, start, tolerance=tolerance)
        fitted = [*fitted[-1:], (l2, (found.weights, found.bias))]
        weight = found.weights @ basis.directions.T.astype(np.float64) / basis.scale
        yield Head(
            weight=weight.astype(np.float32),
            bias=(found.bias - weight @ basis.centre).astype(np.float32),
            l2=l2,
            objective=found.objective,
            n_steps=found.n_steps,
            loss=found.loss,
        )


def _ahead(fitted: Sequence[tuple[float, Layer]], l2: float) -> Layer:
    """Where the line through the last two optima, over the logarithm of the penalty, is at `l2`."""
    (before, (old_weights, old_bias)), (now, (weights, bias)) = fitted[0], fitted[-1]
    if before == now:
        return weights, bias
    # Not further than the way behind it, for the optimum is no straight line.
    share = float(np.clip(np.log(l2 / now) / np.log(now / before), 0, 1))
    return weights + share * (weights - old_weights), bias + share * (bias - old_bias)


def _decompose(features: Float[np.ndarray, "examples features"]) -> _Basis:
    n_examples, n_features = features.shape
    kind = np.float64 if features.size <= _MAX_DOUBLES else np.float32
    centre = features.mean(axis=0, dtype=np.float64)
    centred: np.ndarray = features.astype(kind)
    centred -= centre.astype(kind)
    is_wide = n_examples < n_features
    moments: np.ndarray = centred @ centred.T if is_wide else centred.T @ centred
    scale = float(np.sqrt(np.trace(moments, dtype=np.float64) / features.size)) or 1.0
    if not np.isfinite(scale):
        raise ValueError("features must be finite")
    squares, vectors = np.linalg.eigh(moments / kind(scale**2))
    kept = _clearly_positive(squares)
    singular, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    if is_wide:
        return _Basis(vectors * singular, centred.T @ vectors / (singular * kind(scale)), singular, centre, scale)
    return _Basis(centred @ (vectors / kind(scale)), vectors, singular, centre, scale)


def _fitting_threads(n_products: int) -> AbstractContextManager[object]:
    """One BLAS thread for small work: threads that wait for one another cost more than they bring there."""
    limits: AbstractContextManager[object] = _libraries().limit(
        limits=1 if n_products < _WORTH_THREADS else None, user_api="blas"
    )
    return limits


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Those of this process, looked for once: that takes 5 ms."""
    return ThreadpoolController()


def _clearly_positive(squares: Float[np.ndarray, " n"]) -> Int[np.ndarray, " rank"]:
    """Which eigenvalues are more than rounding, largest first."""
    threshold = max(float(squares[-1]), 1e-30) * len(squares) * np.finfo(squares.dtype).eps
    return np.flatnonzero(squares > threshold)[::-1]
