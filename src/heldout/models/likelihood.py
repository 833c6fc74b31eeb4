"""The mean negative log-likelihood of a linear layer, its gradient, and where it is smallest with an L2 penalty.

Classes come first in every array here: what is done for each example (the largest logit, the sum of probabilities) then
goes along memory, which is up to ten times as fast where classes are few.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heldout.models.changing import Biases, Change, Layer, Weights, exact_change, kronecker_change, rows_for_exact
from heldout.models.minimising import minimise

# Up to so many weights and biases, of so many examples each at least, the Hessian itself is made: with 42 of 20,000
# examples nine penalties take 0.09 s and by the product of two means 0.12, with 153 of 20,000 0.21 and 0.25, with 210
# of 20,000 0.45 and 0.37, with 105 of 2,000 0.05 and 0.04 (measured 2026-11-23, one core).
_MOST_EXACT = 160
_EXAMPLES_EACH = 40
_MAX_STEPS = 2000
# Units in the last place by which the loss may be off: logits are of some tens (assumed).
_ROUNDING = 16


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Examples whose labels a layer is to predict.

    Attributes:
        coordinates: Of the examples, centred, in a basis in which their second moments are diagonal.
        singular: The roots of the sums of the squares of each coordinate.
        places: Of each example's own class among all logits, classes first.
        counts_as: How much each example counts.
        n_classes: How many logits an example has.
    """

    coordinates: Float[np.ndarray, "examples rank"]
    singular: Float[np.ndarray, " rank"]
    places: Int[np.ndarray, " examples"]
    counts_as: Float[np.ndarray, " examples"]
    n_classes: int

    def log_shares(self) -> Biases:
        """The logarithm of each class's share by add-one counts: the best bias at zero weights, and always finite."""
        totals = np.bincount(self.places // len(self.places), weights=self.counts_as, minlength=self.n_classes)
        return np.asarray(np.log((totals + 1) / (len(self.places) + self.n_classes)))

    def chances(self, weights: Weights, bias: Biases, chosen: slice) -> Float[np.ndarray, "classes chosen"]:
        """The probability of each class for the chosen examples, times what they count."""
        logits = self._logits(weights, bias, chosen)
        np.exp(logits, out=logits)
        logits *= self.counts_as[chosen] / logits.sum(axis=0)
        return logits

    def loss_and_slope(self, weights: Weights, bias: Biases) -> tuple[float, Weights, Biases]:
        """The mean over the examples, in nats, and its gradient for weights and biases in 64 bits."""
        n = len(self.places)
        logits = self._logits(weights, bias, slice(None))
        own = logits.ravel()[self.places]
        np.exp(logits, out=logits)
        # By the other classes alone, so that nothing is lost to rounding where the own one is almost certain.
        logits.ravel()[self.places] = 0
        others = logits.sum(axis=0)
        sums = others + np.exp(own)
        losses = np.where(own == 0, np.log1p(others), np.log(sums) - own)
        loss = float(np.sum(losses * self.counts_as, dtype=np.float64)) / n
        shares = self.counts_as / sums
        logits *= shares
        logits.ravel()[self.places] = -shares * others
        slope = (logits @ self.coordinates).astype(np.float64) / n
        return loss, slope, logits.sum(axis=1, dtype=np.float64) / n

    def _logits(self, weights: Weights, bias: Biases, chosen: slice) -> Float[np.ndarray, "classes chosen"]:
        """Less the largest of each example."""
        kind = self.coordinates.dtype
        logits = weights.astype(kind) @ self.coordinates[chosen].T
        logits += bias.astype(kind)[:, None]
        logits -= logits.max(axis=0)
        return np.asarray(logits)


def likelihood_of(
    coordinates: Float[np.ndarray, "examples rank"],
    singular: Float[np.ndarray, " rank"],
    labels: Int[np.ndarray, " examples"],
    n_classes: int,
    class_weights: Float[np.ndarray, " classes"] | None = None,
) -> Likelihood:
    """The likelihood of these labels.

    Args:
        coordinates: As in `Likelihood`.
        singular: As in `Likelihood`.
        labels: Index of each example's class.
        n_classes: How many there are.
        class_weights: How much the examples of each class count; None where all count 1.
    """
    counts_as = np.ones(len(labels)) if class_weights is None else np.asarray(class_weights)[labels]
    places = labels.astype(np.int64) * len(labels) + np.arange(len(labels))
    return Likelihood(coordinates, singular, places, counts_as.astype(coordinates.dtype), n_classes)


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best layer for one penalty.

    Attributes:
        weights: Of the layer.
        bias: Of the layer.
        loss: The mean negative log-likelihood there.
        objective: With the penalty.
        n_steps: L-BFGS steps taken.
    """

    weights: Weights
    bias: Biases
    loss: float
    objective: float
    n_steps: int


def find_optimum(likelihood: Likelihood, l2: float, start: Layer, *, tolerance: float) -> Optimum:
    """Minimise likelihood plus l2 / 2 |weights|^2.

    Args:
        likelihood: Of the examples.
        l2: The penalty.
        start: Weights and biases to begin with.
        tolerance: For the largest entry of the gradient, in variables in which the curvature at the start is about 1.
    """
    change = _change(likelihood, l2, start)

    def objective(point: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
        weights, bias = change.to_layer(point)
        loss, slope, bias_slope = likelihood.loss_and_slope(weights, bias)
        penalty = l2 / 2 * float(np.vdot(weights, weights))
        return loss + penalty, change.of_slope(slope + l2 * weights, bias_slope)

    rounding = _ROUNDING * float(np.finfo(likelihood.coordinates.dtype).eps)
    found = minimise(objective, change.to_point(*start), tolerance=tolerance, max_steps=_MAX_STEPS, rounding=rounding)
    weights, bias = change.to_layer(found.point)
    loss = found.value - l2 / 2 * float(np.vdot(weights, weights))
    return Optimum(weights, bias, loss, found.value, found.n_steps)


def _change(likelihood: Likelihood, l2: float, start: Layer) -> Change:
    n_examples, n_parameters = len(likelihood.places), likelihood.n_classes * (likelihood.coordinates.shape[1] + 1)
    if n_parameters > min(_MOST_EXACT, n_examples // _EXAMPLES_EACH):
        return kronecker_change(likelihood.singular, likelihood.chances(*start, slice(None)), l2)
    rows = rows_for_exact(n_examples, n_parameters)
    return exact_change(likelihood.coordinates[rows], likelihood.chances(*start, rows), l2)
