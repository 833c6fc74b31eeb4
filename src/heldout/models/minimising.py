"""L-BFGS for smooth convex functions, in numpy alone.

scipy's is as good; importing it costs half a second, of a run that takes four (measured here, 2026-11-22).

Source: J. Nocedal, S. Wright, "Numerical Optimization", 2nd edition (2006), algorithms 3.1, 7.4 and 7.5.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Function = Callable[[Float[np.ndarray, " n"]], tuple[float, Float[np.ndarray, " n"]]]

_MEMORY = 20  # pairs of steps and changes of the gradient that stand for the curvature
_SUFFICIENT = 1e-4  # share of the decrease that the slope promises, which a step must bring (as the source has it)
_MAX_HALVINGS = 20
_FLATTER, _BACK = 0.9, 1 - 2 * _SUFFICIENT  # as the source has them


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where the search ended.

    Attributes:
        point: The lowest point found.
        value: The function there.
        gradient: Largest absolute entry of the gradient there.
        n_steps: Steps taken.
    """

    point: Float[np.ndarray, " n"]
    value: float
    gradient: float
    n_steps: int


def minimise(
    function: Function, start: Float[np.ndarray, " n"], *, tolerance: float, max_steps: int, rounding: float = 0.0
) -> Minimum:
    """The minimum of a convex function, from its values and gradients.

    Ends where no entry of the gradient exceeds `tolerance`, after `max_steps`, or where rounding lets no step bring
    anything any more.

    Args:
        function: Gives value and gradient at a point.
        start: Where to begin.
        tolerance: For the largest absolute entry of the gradient.
        max_steps: At most so many.
        rounding: By so large a share of themselves the values may be off, while the gradients are exact enough.

    Example:
        >>> found = minimise(lambda x: (float(x @ x), 2 * x), np.array([3.0, -4.0]), tolerance=1e-9, max_steps=9)
        >>> bool(np.allclose(found.point, 0))
        True
    """
    pairs: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=_MEMORY)
    point = start
    value, gradient = function(point)
    for n_steps in range(max_steps):
        if np.abs(gradient).max() <= tolerance:
            return Minimum(point, value, float(np.abs(gradient).max()), n_steps)
        direction = -_times_inverse_curvature(gradient, pairs)
        found = _step(function, (point, value), direction, slope=float(gradient @ direction), rounding=rounding)
        if found is None:
            return Minimum(point, value, float(np.abs(gradient).max()), n_steps)
        new_point, value, new_gradient = found
        move, change = new_point - point, new_gradient - gradient
        if move @ change > np.finfo(np.float64).eps * (change @ change):
            pairs.append((move, change))
        point, gradient = new_point, new_gradient
    return Minimum(point, value, float(np.abs(gradient).max()), max_steps)


def _times_inverse_curvature(
    gradient: Float[np.ndarray, " n"], pairs: deque[tuple[np.ndarray, np.ndarray]]
) -> Float[np.ndarray, " n"]:
    """The gradient times the inverse curvature that the pairs stand for: the two loops of algorithm 7.4."""
    result = gradient.copy()
    if not pairs:
        # Nothing is known of the curvature yet: a step of length 1 at most.
        scaled: np.ndarray = result / max(1.0, float(np.linalg.norm(result)))
        return scaled
    weights = []
    for move, change in reversed(pairs):
        weight = float(move @ result) / float(move @ change)
        result -= weight * change
        weights.append(weight)
    move, change = pairs[-1]
    result *= float(move @ change) / float(change @ change)
    for (move, change), weight in zip(pairs, reversed(weights), strict=True):
        result += (weight - float(change @ result) / float(move @ change)) * move
    return result


def _step(
    function: Function,
    begun: tuple[Float[np.ndarray, " n"], float],
    direction: Float[np.ndarray, " n"],
    *,
    slope: float,
    rounding: float,
) -> tuple[Float[np.ndarray, " n"], float, Float[np.ndarray, " n"]] | None:
    """The first of the steps 1, 1/2, 1/4 ... that brings enough; None where none does.

    Near the minimum a step brings less than the values are rounded by. There it is enough that the value has not risen
    by more than that, and that along the step the slope has become flatter and not much steeper the other way: of a
    convex function the step then led down.

    Source: W. Hager, H. Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search",
    SIAM J. Optim. 16 (2005), 170-192, equation 4.1, the approximate Wolfe conditions.
    """
    point, value = begun
    length = 1.0
    for _ in range(_MAX_HALVINGS):
        there = point + length * direction
        new_value, gradient = function(there)
        if new_value <= value + _SUFFICIENT * length * slope:
            return there, new_value, gradient
        if new_value <= value + rounding * abs(value) and _FLATTER * slope <= gradient @ direction <= -_BACK * slope:
            return there, new_value, gradient
        length /= 2
    return None
