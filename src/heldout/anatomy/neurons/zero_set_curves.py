"""The zero set of a neuron as points along it, for a drawing, and the sign of the neuron beside it."""

import math

import numpy as np
from jaxtyping import Float

from heldout.anatomy.neurons.forms import Point
from heldout.anatomy.neurons.zero_sets import ZeroSet

# Steps along a curve: 0.03 inches apart on a figure of the usual size.
_N_STEPS = 241


def curves_of(zero_set: ZeroSet, middle: Point, reach: float) -> list[Float[np.ndarray, "steps two"]]:
    """The curves or lines that the zero set is made of, by their exact parametrisation; a point is a curve of one step.

    Args:
        zero_set: Of any kind; an empty one and a plane have no curves.
        middle: Of what is drawn.
        reach: Curves without an end go on beyond this distance from the middle.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> from heldout.anatomy.neurons.zero_sets import zero_set_of
        >>> (circle,) = curves_of(zero_set_of(parse_neuron("x1^2 + x2^2 - 4")), (0.0, 0.0), 5.0)
        >>> bool(np.allclose(np.hypot(*circle.T), 2.0))
        True
    """
    if zero_set.centre is None:
        return []
    centre = np.array(zero_set.centre)
    if zero_set.kind == "point":
        return [centre[None, :]]
    if zero_set.directions and zero_set.kind != "hyperbola":
        pairs = zip(zero_set.points, zero_set.directions * len(zero_set.points), strict=False)
        return [_line(np.array(point), np.array(direction), middle, reach) for point, direction in pairs]
    u, v = (np.array(axis) for axis in zero_set.axes)
    far = reach + math.dist(zero_set.centre, middle)
    if zero_set.kind == "parabola":
        assert zero_set.focal_length is not None, "a parabola has a focus"
        # Evenly in the square root of the height too: (s, s^2 / 4f).
        most = min(far, 2 * math.sqrt(zero_set.focal_length * far))
        s = np.linspace(-most, most, _N_STEPS)
        return [centre + s[:, None] * u + (s**2 / (4 * zero_set.focal_length))[:, None] * v]
    first, second = zero_set.semi_axes
    assert first is not None, "an ellipse and a hyperbola have two semi-axes"
    assert second is not None, "an ellipse and a hyperbola have two semi-axes"
    if zero_set.kind == "hyperbola":
        return _branches(centre, (u * first, v * second), zero_set.axis, far / min(first, second))
    t = np.linspace(0, 2 * math.pi, _N_STEPS)[:, None]
    return [centre + np.cos(t) * first * u + np.sin(t) * second * v]


def sides_of(
    zero_set: ZeroSet, x: Float[np.ndarray, "*shape"], y: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Numbers with the sign of the neuron, 0 where it is 0; not its values, which far away all look like its bias.

    Args:
        zero_set: Of any kind.
        x: How far points lie from the centre of the shape, to the right; from any point where it has none.
        y: How far they lie above it.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> from heldout.anatomy.neurons.zero_sets import zero_set_of
        >>> circle = zero_set_of(parse_neuron("exp(-(x1^2 + x2^2)) - 0.5"))
        >>> bool(sides_of(circle, np.zeros(1), np.zeros(1)) > 0), bool(sides_of(circle, np.ones(1), np.zeros(1)) > 0)
        (True, False)
    """
    if zero_set.centre is None:
        sign = 0.0 if zero_set.kind == "plane" else 1.0 if zero_set.positive == "everywhere" else -1.0
        return np.full(np.broadcast(x, y).shape, sign)
    first, second = (axis[0] * x + axis[1] * y for axis in zero_set.axes)
    if zero_set.positive == "ahead":
        return first
    if zero_set.kind == "parabola":
        assert zero_set.focal_length is not None, "a parabola has a focus"
        inside = second - first**2 / (4 * zero_set.focal_length)
        return inside if zero_set.positive == "inside" else -inside
    assert zero_set.level is not None, "a shape with a centre has a level"
    form = zero_set.weights[0] * first**2 + zero_set.weights[1] * second**2
    return np.asarray(zero_set.orientation * (zero_set.level - form))


def _line(
    point: Float[np.ndarray, " two"], direction: Float[np.ndarray, " two"], middle: Point, reach: float
) -> Float[np.ndarray, "steps two"]:
    """From end to end of what is drawn: about the point of the line that is nearest to its middle."""
    nearest = point + ((np.array(middle) - point) @ direction) * direction
    return np.stack([nearest - reach * direction, nearest + reach * direction])


def _branches(
    centre: Float[np.ndarray, " two"],
    semi_axes: tuple[Float[np.ndarray, " two"], Float[np.ndarray, " two"]],
    axis: int | None,
    reach: float,
) -> list[Float[np.ndarray, "steps two"]]:
    along, across = semi_axes if axis == 0 else semi_axes[::-1]
    # sinh t reaches there; even steps of t are finest at the vertex, where the branch bends.
    t = np.linspace(-1, 1, _N_STEPS)[:, None] * math.asinh(reach)
    return [centre + sign * np.cosh(t) * along + np.sinh(t) * across for sign in (1, -1)]
