"""Logistic regression on rows that are never in memory together, from a fit to a sample and few passes over all rows.

    F(w) = mean over all rows of -log softmax(x w)[label]  +  l2 / 2 |w|^2          what is to be minimised
    S(w) = the same over the sample, each class as heavy as among all rows

From a point w a pass over the file gives the gradient of F there. The sample then stands for the curvature: the next
point is the minimum of S(v) + <grad F(w) - grad S(w), v>, whose gradient at w is that of F. Each pass brings the point
nearer to the optimum by the factor sqrt(p / m) for p parameters and m rows in the sample. From the optimum of the
sample, which is sqrt(p / m) away, one pass ends p / m away, where the optimum itself is sqrt(p / n) from the truth for
n rows in all: one step from a good beginning is, to first order, as good as the optimum (Le Cam). How good the
beginning was is seen in the pass itself, and if that does not promise enough there is another.

Source:
    L. Le Cam, "On the asymptotic theory of estimation and testing hypotheses", Proc. Third Berkeley Symposium (1956),
    for one step. O. Shamir, N. Srebro, T. Zhang, "Communication-efficient distributed optimization using an approximate
    Newton-type method" (2014), and M. Jordan, J. Lee, Y. Yang, "Communication-efficient distributed statistical
    inference", JASA 114 (2019), 668-681, equation 2.5 and theorem 3.3, for the sample's curvature.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heldout.models.minimising import minimise

# Where what is left to the optimum is below this share of the distance between optimum and truth, its square, the loss
# that it costs, is below a twentieth of what chance costs anyway (assumed).
ENOUGH = 0.2
# One or two are the rule; where rows can be told apart without an error, curvature is known badly (assumed).
MAX_PASSES = 8
_TOLERANCE = 1e-7  # largest entry of the gradient in the whitened basis, where rounding ends the search about as well
_MAX_STEPS = 200
_SQUARED_AT_ONCE = 2**12  # rows, which stay in the cache
# An objective that is summed in 32 bits is known to about this.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Point:
    """Weights and biases of a linear layer, as 32-bit numbers can hold them."""

    weight: Float[np.ndarray, "classes features"]
    bias: Float[np.ndarray, " classes"]


@dataclass(frozen=True, slots=True)
class Slope:
    """What one pass gives at a point, without the penalty.

    Attributes:
        loss: Mean of -log probability of the label, by weight of the rows, in nats.
        weight: Its gradient for the weights.
        bias: For the biases.
    """

    loss: float
    weight: Float[np.ndarray, "classes features"]
    bias: Float[np.ndarray, " classes"]


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass over the file found.

    Attributes:
        loss: At the point it was made with, of all training rows, penalty included.
        distance: From there to where it led, as the root of twice the loss that this was worth.
        left: How far from the optimum that should be still, by the same measure.
    """

    loss: float
    distance: float
    left: float


def slope_of(
    features: Float[np.ndarray, "rows features"],
    labels: Int[np.ndarray, " rows"],
    row_weights: Float[np.ndarray, " rows"],
    point: Point,
) -> Slope:
    """Weighted sums over some rows of the loss and its gradient, in the features' precision.

    Args:
        features: Of the rows, finite.
        labels: Of each row, or -1 where the weight is 0.
        row_weights: How much each counts.
        point: Where.
    """
    kind = features.dtype
    # Logits against the first class, whose own is 0; a class a row, so that sums over classes run along the memory.
    logits = (point.weight[1:] - point.weight[0]).astype(kind) @ features.T
    logits += (point.bias[1:] - point.bias[0]).astype(kind)[:, None]
    highest = np.maximum(logits.max(axis=0), 0)
    is_label = labels == np.arange(1, len(point.bias))[:, None]
    of_label = (logits * is_label).sum(axis=0)
    logits -= highest
    np.exp(logits, out=logits)
    sums = logits.sum(axis=0)
    sums += np.exp(-highest)
    loss = float(row_weights @ (np.log(sums) + highest - of_label))
    logits *= row_weights / sums
    logits -= is_label * row_weights
    weight, bias = logits @ features, logits.sum(axis=1)
    return Slope(loss, np.vstack([-weight.sum(axis=0), weight]), np.append(-bias.sum(), bias))


class Sample:
    """The rows in memory that stand for the curvature of all, in a basis in which they are about equally spread.

    Args:
        features: Of the rows.
        labels: Of the rows.
        row_weights: How much each counts; their sum is 1.
        l2: The penalty of a weight's square, halved, for features as they are.
    """

    def __init__(
        self,
        features: Float[np.ndarray, "rows features"],
        labels: Int[np.ndarray, " rows"],
        row_weights: Float[np.ndarray, " rows"],
        l2: float,
    ) -> None:
        self.labels, self.row_weights, self.l2 = labels, row_weights, l2
        self._features = features.astype(np.float64)
        self._centre = row_weights @ self._features
        spread = -np.outer(self._centre, self._centre)
        for start in range(0, len(features), _SQUARED_AT_ONCE):
            some = self._features[start : start + _SQUARED_AT_ONCE]
            spread += (some * row_weights[start : start + _SQUARED_AT_ONCE, None]).T @ some
        squares, directions = np.linalg.eigh(spread)
        # What is constant in the sample says nothing of the curvature, and stays as it is.
        kept = squares > max(float(squares[-1]), 1e-30) * len(squares) * np.finfo(np.float64).eps
        self._mixing = directions[:, kept] / np.sqrt(squares[kept] / 2 + l2)

    def slope(self, point: Point) -> Slope:
        """The sample's loss and gradient at a point, without the penalty."""
        return slope_of(self._features, self.labels, self.row_weights, point)

    def next_point(self, point: Point, slope: Slope) -> tuple[Point, float]:
        """Where all rows' slope at a point leads by the sample's curvature, and the distance to there."""
        own = self.slope(point)
        weight_pull, bias_pull = slope.weight - own.weight, slope.bias - own.bias
        shape = (len(point.bias), self._mixing.shape[1])

        def moved(move: Float[np.ndarray, " n"]) -> Point:
            weight = move[: -shape[0]].reshape(shape) @ self._mixing.T
            return Point(point.weight + weight, point.bias + move[-shape[0] :] - weight @ self._centre)

        def objective(move: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
            there = moved(move)
            found = self.slope(there)
            weight_step, bias_step = there.weight - point.weight, there.bias - point.bias
            pulled = float(np.sum(weight_pull * weight_step) + bias_pull @ bias_step)
            value = found.loss - own.loss + pulled + self.l2 / 2 * float(np.sum(there.weight**2))
            by_bias = found.bias + bias_pull
            by_weight = found.weight + weight_pull + self.l2 * there.weight - np.outer(by_bias, self._centre)
            return value, np.concatenate([(by_weight @ self._mixing).ravel(), by_bias])

        start = np.zeros(shape[0] * (shape[1] + 1))
        before = objective(start)[0]
        found = minimise(objective, start, tolerance=_TOLERANCE, max_steps=_MAX_STEPS)
        return rounded(moved(found.point)), float(np.sqrt(2 * max(0.0, before - found.value)))


def rounded(point: Point) -> Point:
    """The nearest point that 32 bits can hold, so that it is the same in every precision."""
    return Point(*(array.astype(np.float32).astype(np.float64) for array in (point.weight, point.bias)))


def optimum(
    start: Point, sample: Sample, slope_at: Callable[[Point], Slope], *, n_rows: int, first: Slope | None = None
) -> tuple[Point, tuple[Pass, ...]]:
    """The point that passes over all rows lead to, and what they found.

    Args:
        start: The optimum of the sample, or another point that is not far off.
        sample: Stands for the curvature.
        slope_at: Makes a pass over all training rows.
        n_rows: How many those are.
        first: What a pass has already found at `start`.

    Returns:
        Where the last pass led; or after `MAX_PASSES` the best that was met, and the last has more `left` than
        `wanted_distance`.
    """
    n_parameters = start.weight.shape[1] + 1
    n_parameters *= len(start.bias) - 1
    m = len(sample.labels)
    rate = float(np.sqrt(n_parameters / m * max(0.0, 1 - m / n_rows)))
    best, following, lowest = start, start, np.inf
    passes: list[Pass] = []
    while len(passes) < MAX_PASSES:
        slope = first if first is not None and not passes else slope_at(following)
        value = slope.loss + sample.l2 / 2 * float(np.sum(following.weight**2))
        if value > lowest + _ROUNDING:  # too far: half the way
            passes.append(Pass(value, passes[-1].distance / 2, passes[-1].distance / 2))
            middle = Point((best.weight + following.weight) / 2, (best.bias + following.bias) / 2)
            following = rounded(middle)
            continue
        best, lowest = following, value
        following, distance = sample.next_point(best, slope)
        if passes and passes[-1].distance > 0:
            rate = distance / passes[-1].distance
        passes.append(Pass(value, distance, rate * distance))
        if passes[-1].left <= wanted_distance(n_parameters, n_rows):
            return following, tuple(passes)
    return best, tuple(passes)


def wanted_distance(n_parameters: int, n_rows: int) -> float:
    """How near to the optimum is enough: a fifth of what lies between it and the truth on average."""
    return ENOUGH * float(np.sqrt(n_parameters / n_rows))
