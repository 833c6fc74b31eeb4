"""The head of a frozen backbone, fitted to its optimum: multinomial logistic regression with an L2 penalty.

    minimise over W, b:   mean over examples of -log softmax(x W + b)[label]  +  l2 / 2 * |W|^2

The problem is convex, so there is one best head for each `l2`, and no learning rate, no epochs and no order of examples
to argue about. It is solved in the basis of the features' singular vectors, where Böhning's bound on the Hessian
(1/2 of the features' second moments, for any number of classes) is diagonal; dividing by its root makes every
direction about equally curved, and L-BFGS then needs tens of steps, not thousands. The decomposition is made once for a
whole path of `l2`.

Source: D. Böhning, "Multinomial logistic regression algorithm", Ann. Inst. Statist. Math. 44 (1992), 197-200.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

from heldout.models.minimising import minimise

# Strongest first, so that each fit starts from its neighbour; the scale is that of features with a root mean square
# of 1. What validation chose on flower_photos, catdog and flowers102 lies well inside (measured here, 2026-11-22).
L2_GRID = tuple(float(10.0 ** (exponent / 2)) for exponent in range(2, -11, -1))
# Above this many numbers the work is done in 32 bits: 2^24 doubles are 128 MiB.
_MAX_DOUBLES = 2**24
# Largest entry of the gradient, in the whitened basis, at which a fit counts as done. There the objective is within
# 1e-6 nats of scikit-learn's (test_heads.py).
_GRADIENT_TOLERANCE = {np.dtype(np.float64): 1e-5, np.dtype(np.float32): 1e-4}
_MAX_STEPS = 2000
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
    """

    weight: Float[np.ndarray, "classes features"]
    bias: Float[np.ndarray, " classes"]
    l2: float
    objective: float
    n_steps: int

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
    with threadpool_limits(1, user_api="blas"):  # a row is too small for two threads
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
    yield from _fit_path(basis, labels, n_classes, l2_grid, class_weights)


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
    penalty by next to nothing. The fits are in 32 bits and so end a little earlier: 0.045 s a fold of 400 photos where
    64 bits took 0.11 (measured here, 2026-11-22).

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
        part = replace(basis, coordinates=coordinates[others])
        yield fold, next(_fit_path(part, labels[others], n_classes, (l2,)))


def _check_labels(features: np.ndarray, labels: Int[np.ndarray, " examples"], n_classes: int) -> None:
    if len(features) == 0 or len(features) != len(labels):
        raise ValueError(f"expected as many labels as features and at least one, got {len(labels)} and {len(features)}")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels must lie in 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}")


def _fit_path(
    basis: _Basis,
    labels: Int[np.ndarray, " examples"],
    n_classes: int,
    l2_grid: Sequence[float],
    class_weights: Float[np.ndarray, " classes"] | None = None,
) -> Iterator[Head]:
    """The head of each penalty, each fit starting from the one before."""
    one_hot = np.zeros((len(labels), n_classes), basis.coordinates.dtype)
    # A row of an example that counts more than 1 holds that number in the place of the 1.
    one_hot[np.arange(len(labels)), labels] = 1 if class_weights is None else class_weights[labels]
    rank = basis.coordinates.shape[1]
    weights = np.zeros((rank, n_classes), basis.coordinates.dtype)
    # Add-one counts: at zero weights this bias is the optimum, and finite for a class without example.
    bias = np.log((one_hot.sum(0) + 1) / (len(labels) + n_classes))
    for l2 in l2_grid:
        weights, bias, objective, n_steps = _fit(basis, one_hot, float(l2), weights, bias)
        weight = (basis.directions @ weights / basis.scale).T
        yield Head(
            weight=weight.astype(np.float32),
            bias=(bias - weight @ basis.centre).astype(np.float32),
            l2=float(l2),
            objective=objective,
            n_steps=n_steps,
        )


def _decompose(features: Float[np.ndarray, "examples features"]) -> _Basis:
    n_examples, n_features = features.shape
    kind = np.float64 if features.size <= _MAX_DOUBLES else np.float32
    centre = features.mean(axis=0, dtype=np.float64).astype(kind)
    centred = features.astype(kind) - centre
    scale = float(np.sqrt(np.mean(np.square(centred, dtype=np.float64)))) or 1.0
    if not np.isfinite(scale):
        raise ValueError("features must be finite")
    centred /= kind(scale)
    if n_examples < n_features:
        squares, left = np.linalg.eigh(centred @ centred.T)
        kept = _clearly_positive(squares)
        singular = np.sqrt(squares[kept])
        directions = centred.T @ left[:, kept] / singular
        return _Basis(left[:, kept] * singular, directions, singular, centre, scale)
    squares, right = np.linalg.eigh(centred.T @ centred)
    kept = _clearly_positive(squares)
    return _Basis(centred @ right[:, kept], right[:, kept], np.sqrt(squares[kept]), centre, scale)


def _fitting_threads(n_products: int) -> threadpool_limits:
    """One BLAS thread for small work: threads that wait for one another cost more than they bring there."""
    return threadpool_limits(1 if n_products < _WORTH_THREADS else None, user_api="blas")


def _clearly_positive(squares: Float[np.ndarray, " n"]) -> Int[np.ndarray, " rank"]:
    """Which eigenvalues are more than rounding, largest first."""
    threshold = max(float(squares[-1]), 1e-30) * len(squares) * np.finfo(squares.dtype).eps
    return np.flatnonzero(squares > threshold)[::-1]


def _fit(
    basis: _Basis,
    one_hot: Float[np.ndarray, "examples classes"],
    l2: float,
    weights: Float[np.ndarray, "rank classes"],
    bias: Float[np.ndarray, " classes"],
) -> tuple[Float[np.ndarray, "rank classes"], Float[np.ndarray, " classes"], float, int]:
    """Minimise from a starting point; returns weights, bias, objective and the steps taken."""
    n_examples, n_classes = one_hot.shape
    shape = weights.shape
    whitening = (1 / np.sqrt(basis.singular**2 / (2 * n_examples) + l2)).astype(one_hot.dtype)[:, None]
    whitened = basis.coordinates * whitening.T
    penalty = l2 * whitening**2
    counts_as = one_hot.sum(axis=1, keepdims=True)  # 1, unless its class has a weight

    def objective(point: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
        now = point[:-n_classes].reshape(shape).astype(one_hot.dtype)
        logits = whitened @ now + point[-n_classes:].astype(one_hot.dtype)
        logits -= logits.max(axis=1, keepdims=True)
        chosen = float(np.sum(logits * one_hot, dtype=np.float64))
        np.exp(logits, out=logits)
        sums = logits.sum(axis=1, keepdims=True)
        loss = (float((counts_as * np.log(sums)).sum(dtype=np.float64)) - chosen) / n_examples
        loss += 0.5 * float(np.sum(penalty * now**2, dtype=np.float64))
        residual = (logits / sums * counts_as - one_hot) / n_examples
        slope = whitened.T @ residual + penalty * now
        return loss, np.concatenate([slope.ravel(), residual.sum(axis=0)]).astype(np.float64)

    start = np.concatenate([(weights / whitening).ravel(), bias]).astype(np.float64)
    with _fitting_threads(whitened.size * n_classes):
        found = minimise(objective, start, tolerance=_GRADIENT_TOLERANCE[one_hot.dtype], max_steps=_MAX_STEPS)
    best = found.point[:-n_classes].reshape(shape) * whitening
    return best.astype(one_hot.dtype), found.point[-n_classes:], found.value, found.n_steps
