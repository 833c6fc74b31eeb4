"""Changes of variables after which a multinomial logistic regression is curved about equally in every direction.

    logits = W x + b,    H = mean over examples of (diag(p) - p p') (x) x x'   +   l2 on W

`exact_change` takes the Hessian itself, by Cholesky, where it is small: the first step of L-BFGS is Newton's then, and
those after it make up for what has changed since. `kronecker_change` takes the product of its two means, the one over
classes and the one over features, of which the latter is diagonal in the basis of the features' singular vectors.

Source: for the product J. Martens, R. Grosse, "Optimizing neural networks with Kronecker-factored approximate
curvature", ICML (2015), section 3, of which this is the case of one layer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Rows in the exact Hessian for each of its parameters, at least: it is then about a quarter off (assumed) ...
_ROWS_A_PARAMETER = 20
# ... and more, as far as they cost no more than so many evaluations of the gradient.
_EVALUATIONS = 2
# No direction of the biases counts as flatter than this share of their mean curvature. One is flat by nature, for a
# number that is added to all of them changes nothing, and so is the bias of a class without example.
_LEAST = 1e-3

Weights = Float[np.ndarray, "classes rank"]
Biases = Float[np.ndarray, " classes"]
Layer = tuple[Weights, Biases]


@dataclass(frozen=True, slots=True)
class Change:
    """Weights and biases as points of a vector space, and back.

    Attributes:
        to_layer: A point -> weights and biases, linear.
        of_slope: The gradient for weights and biases -> that for the point: the transpose of `to_layer`.
        to_point: Weights and biases -> the point.
    """

    to_layer: Callable[[Float[np.ndarray, " n"]], Layer]
    of_slope: Callable[[Weights, Biases], Float[np.ndarray, " n"]]
    to_point: Callable[[Weights, Biases], Float[np.ndarray, " n"]]


def rows_for_exact(n_examples: int, n_parameters: int) -> slice:
    """Which examples go into the exact Hessian: all, or evenly spread ones, in their order."""
    wanted = max(_ROWS_A_PARAMETER * n_parameters, 4 * _EVALUATIONS * n_examples // n_parameters)
    return slice(None, None, max(1, n_examples // wanted))


def exact_change(
    coordinates: Float[np.ndarray, "examples rank"], chances: Float[np.ndarray, "classes examples"], l2: float
) -> Change:
    """The change by the Hessian of these examples.

    Args:
        coordinates: Of the examples, centred.
        chances: Of each class for each example, at the point whose Hessian is wanted, times what the example counts.
        l2: The penalty.
    """
    rows = np.concatenate([coordinates, np.ones((len(coordinates), 1))], axis=1)
    hessian = _hessian(rows, chances.astype(np.float64))
    shape = len(chances), rows.shape[1]
    ridge = np.full(shape, l2)
    ridge[:, -1] = _LEAST * np.diag(hessian).reshape(shape)[:, -1].mean() + np.finfo(np.float64).tiny
    factor = np.linalg.cholesky(hessian + np.diag(ridge.ravel()))
    inverse = np.linalg.inv(factor)

    def to_layer(point: Float[np.ndarray, " n"]) -> Layer:
        layer = (point @ inverse).reshape(shape)
        return layer[:, :-1], layer[:, -1]

    def of_slope(weights: Weights, biases: Biases) -> Float[np.ndarray, " n"]:
        return np.asarray(inverse @ np.concatenate([weights, biases[:, None]], axis=1).ravel())

    def to_point(weights: Weights, biases: Biases) -> Float[np.ndarray, " n"]:
        return np.asarray(np.concatenate([weights, biases[:, None]], axis=1).ravel() @ factor)

    return Change(to_layer, of_slope, to_point)


def _hessian(
    rows: Float[np.ndarray, "examples columns"], chances: Float[np.ndarray, "classes examples"]
) -> Float[np.ndarray, "parameters parameters"]:
    """Of the mean negative log-likelihood; the parameters of the first class first."""
    counts = np.maximum(chances.sum(axis=0), np.finfo(np.float64).tiny)
    blocks = []
    for own, chance in enumerate(chances):
        factors = -chance / counts * chances
        factors[own] += chance
        products = rows.T @ (factors[:, :, None] * rows)  # for each other class, columns x columns
        blocks.append(products.transpose(1, 0, 2).reshape(rows.shape[1], -1))
    return np.concatenate(blocks) / len(rows)


def kronecker_change(
    singular: Float[np.ndarray, " rank"], chances: Float[np.ndarray, "classes examples"], l2: float
) -> Change:
    """The change by the product of the mean over classes and the mean over features.

    Args:
        singular: Of the coordinates of the examples, in whose basis the weights are.
        chances: As for `exact_change`.
        l2: The penalty.
    """
    n = chances.shape[1]
    roots = chances / np.sqrt(np.maximum(chances.sum(axis=0), np.finfo(chances.dtype).tiny))
    of_classes = -(roots @ roots.T).astype(np.float64)
    np.fill_diagonal(of_classes, 0)
    np.fill_diagonal(of_classes, -of_classes.sum(axis=1))  # what p (1 - p) is, without the rounding of 1 - p
    curvatures, turn = np.linalg.eigh(of_classes / n)
    curvatures = np.maximum(curvatures, 0)
    least = _LEAST * curvatures.mean() + np.finfo(np.float64).tiny
    of_weights = 1 / np.sqrt(np.outer(curvatures, singular.astype(np.float64) ** 2 / n) + l2)
    of_biases = 1 / np.sqrt(np.maximum(curvatures, least))
    size, shape = of_weights.size, of_weights.shape

    def to_layer(point: Float[np.ndarray, " n"]) -> Layer:
        return turn @ (point[:size].reshape(shape) * of_weights), turn @ (point[size:] * of_biases)

    def of_slope(weights: Weights, biases: Biases) -> Float[np.ndarray, " n"]:
        return np.concatenate([((turn.T @ weights) * of_weights).ravel(), (turn.T @ biases) * of_biases])

    def to_point(weights: Weights, biases: Biases) -> Float[np.ndarray, " n"]:
        return np.concatenate([((turn.T @ weights) / of_weights).ravel(), (turn.T @ biases) / of_biases])

    return Change(to_layer, of_slope, to_point)
