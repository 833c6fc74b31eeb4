"""Where a neuron whose numbers are all given is 0: which shape that is, decided exactly, and its measures.

On the zero set the quadratic form A of the inputs has one value, the level L:

    (x - centre)' A (x - centre) = L        of a bell: L = -ln(-bias / amplitude) - what the exponent is at its centre

The signs of the two weights (the eigenvalues of A) and of L say which shape it is. They are decided from fractions:
L of a bell is compared by its ratio with 1, never by a logarithm that was rounded.
"""

import math
from dataclasses import dataclass, replace

from heldout.anatomy.neurons.forms import X_Y, Form, Point, sign_of
from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic, as_float
from heldout.anatomy.neurons.zero_levels import Level, level_of, level_of_bell


@dataclass(frozen=True, slots=True)
class ZeroSet:
    """The points where a neuron is 0.

    Attributes:
        kind: `empty`, `point`, `line`, `parallel lines`, `circle`, `ellipse`, `hyperbola`, `crossing lines`,
            `parabola` or `plane`.
        positive: Where the neuron is above 0; see `positive_of`. Elsewhere it is below 0, but for the zero set.
        level: L; None where there is none, as no exponential is 0 or less.
        centre: Of the shape; of a parabola its vertex, of a line its point nearest to the origin; None for all or
            nothing.
        axes: Two directions of length 1 at right angles: x1 and x2 unless the form is turned. A line is at right
            angles to the first, which points to where the neuron is positive; a parabola opens along the second.
        weights: The eigenvalues along them.
        axis: Of which of the two the vertices are (hyperbola), or which the lines are at right angles to.
        semi_axes: sqrt(L / weight) along each, as lengths, where both are not 0.
        focal_length: Of a parabola, from the vertex to the focus.
        orientation: 1 where the neuron is above 0 where its form is below L, -1 where it is the other way round.
    """

    kind: str
    positive: str
    level: float | None = None
    centre: Point | None = None
    axes: tuple[Point, Point] = X_Y
    weights: tuple[float, float] = (0.0, 0.0)
    axis: int | None = None
    semi_axes: tuple[float | None, float | None] = (None, None)
    focal_length: float | None = None
    orientation: int = 1

    @property
    def area(self) -> float | None:
        """Of a circle or an ellipse."""
        first, second = self.semi_axes
        if self.kind not in {"circle", "ellipse"} or first is None or second is None:
            return None
        return math.pi * first * second

    @property
    def eccentricity(self) -> float | None:
        """0 of a circle, below 1 of an ellipse, 1 of a parabola, above 1 of a hyperbola."""
        if self.kind == "parabola":
            return 1.0
        first, second = (abs(each) for each in self.weights)
        if self.kind in {"circle", "ellipse"}:
            small, large = sorted((first, second))
            # (large - small) (large + small) as a product: nothing is lost where they are nearly alike.
            return math.sqrt((large - small) / large)
        if self.kind == "hyperbola":
            along, across = (first, second) if self.axis == 0 else (second, first)
            return math.sqrt(1 + along / across)
        return None

    @property
    def vertices(self) -> tuple[Point, ...]:
        """Of a hyperbola two, of an ellipse four (first axis, then second), of a parabola one; else none."""
        if self.kind == "parabola" and self.centre is not None:
            return (self.centre,)
        if self.kind == "ellipse":
            return (*self._along(0, self.semi_axes[0]), *self._along(1, self.semi_axes[1]))
        if self.kind == "hyperbola" and self.axis is not None:
            return self._along(self.axis, self.semi_axes[self.axis])
        return ()

    @property
    def foci(self) -> tuple[Point, ...]:
        """Of an ellipse or a hyperbola two, of a parabola one; of other shapes none."""
        first, second = self.semi_axes
        if self.kind == "parabola" and self.focal_length is not None:
            return self._along(1, self.focal_length)[:1]
        if first is None or second is None:
            return ()
        if self.kind == "ellipse":
            major = 0 if first >= second else 1
            return self._along(major, math.sqrt(abs(first - second) * (first + second)))
        if self.kind == "hyperbola" and self.axis is not None:
            return self._along(self.axis, math.hypot(first, second))
        return ()

    @property
    def directions(self) -> tuple[Point, ...]:
        """The directions of its lines: of lines and asymptotes, of length 1, the first upwards along the axes."""
        if self.kind in {"line", "parallel lines"}:
            return (self.axes[1 if self.axis == 0 else 0],)
        if self.kind in {"hyperbola", "crossing lines"}:
            # first w1 + second w2 = 0 in squares: as far along an axis as the root of the other's weight says.
            along, across = math.sqrt(abs(self.weights[1])), math.sqrt(abs(self.weights[0]))
            length = math.hypot(along, across)
            return tuple(self._direction(along / length, sign * across / length) for sign in (1, -1))
        return ()

    @property
    def points(self) -> tuple[Point, ...]:
        """A point of each of its lines: of one line, of two parallel ones; of crossing ones both times the centre."""
        if self.centre is None:
            return ()
        if self.kind == "parallel lines" and self.axis is not None:
            return self._along(self.axis, self.semi_axes[self.axis])
        return (self.centre,) * len(self.directions)

    def _along(self, axis: int, distance: float | None) -> tuple[Point, ...]:
        assert self.centre is not None, "asked of shapes that have a centre"
        assert distance is not None, "asked along axes that the shape has a length on"
        (x, y), (dx, dy) = self.centre, self.axes[axis]
        return ((x + distance * dx, y + distance * dy), (x - distance * dx, y - distance * dy))

    def _direction(self, first: float, second: float) -> Point:
        (ux, uy), (vx, vy) = self.axes
        return (first * ux + second * vx, first * uy + second * vy)


def zero_set_of(neuron: Neuron) -> ZeroSet:
    """Where the body of a neuron is 0; it has a number for every name.

    Raises:
        UsageError: The measures are beyond what floats hold.

    Source:
        The classification of conics by the eigenvalues of their form, as in any course of linear algebra; the level
        of a bell follows from exp(-q) = -b / a.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> found = zero_set_of(parse_neuron("exp(-(x1^2 + 2*x2^2)) - 0.5"))
        >>> found.kind, [round(each, 6) for each in found.semi_axes], found.positive
        ('ellipse', [0.832555, 0.588705], 'inside')
    """
    body = neuron.body
    if isinstance(body, Bell):
        amplitude = body.amplitude.value
        form = Form.of(body.exponent)
        ratio = -body.bias.value / amplitude
        if ratio <= 0:
            return ZeroSet("empty", "everywhere" if amplitude > 0 else "nowhere")
        return _of_form(form, level_of_bell(ratio, form.at_centre), sign_of(amplitude))
    flips = is_negative(body)
    form = Form.of(-body if flips else body)
    return _of_form(form, level_of(-form.at_centre), 1 if flips else -1)


def kind_of(first: int, second: int, level: int | None) -> tuple[str, int | None]:
    """The shape that the signs of two weights and of the level make, and the axis that matters to it.

    The axis is the one that a hyperbola's vertices are on, or that the lines are at right angles to. An ellipse is
    a circle where the weights are equal.

    Args:
        first: Sign of the first weight, -1, 0 or 1.
        second: Of the second.
        level: Of L; None where there is none.

    Example:
        >>> kind_of(1, -1, -1), kind_of(-1, 0, -1), kind_of(1, 1, None)
        (('hyperbola', 1), ('parallel lines', 0), ('empty', None))
    """
    if level is None:
        return "empty", None
    signs = {first, second} - {0}
    if not signs:
        return ("plane" if level == 0 else "empty"), None
    if len(signs) == 2:
        return ("crossing lines", None) if level == 0 else ("hyperbola", 0 if first == level else 1)
    (sign,) = signs
    if level == -sign:
        return "empty", None
    if first and second:
        return ("ellipse" if level else "point"), None
    return ("parallel lines" if level else "line"), 0 if first else 1


def positive_of(kind: str, signs: tuple[int, int], level: int, orientation: int) -> str:
    """Where orientation * (L - form) is above 0, in a word that goes with the shape.

    `inside`, `outside` (circle, ellipse, parabola); `between`, `beyond` (the branches of a hyperbola, two lines);
    `first`, `second` (the sectors of crossing lines along an axis); `ahead` (of a line, along its first axis);
    `elsewhere`, `everywhere`, `nowhere`.

    Args:
        kind: The shape.
        signs: Of the two weights.
        level: Sign of L.
        orientation: 1 or -1.
    """
    weight = signs[0] or signs[1]
    if kind in {"circle", "ellipse"}:
        return "inside" if orientation * weight > 0 else "outside"
    if kind in {"point", "line"}:
        return "nowhere" if orientation * weight > 0 else "elsewhere"
    if kind in {"hyperbola", "parallel lines"}:
        return "between" if orientation * level > 0 else "beyond"
    if kind == "crossing lines":
        return "first" if orientation * signs[0] < 0 else "second"
    if kind == "plane":
        return "nowhere"
    return "everywhere" if orientation * level > 0 else "nowhere"


def is_negative(body: Quadratic) -> bool:
    """Whether it is the negative of a polynomial that is brought into form: weights above 0 are more usual."""
    if body.is_linear:
        return False
    first, product, second = (each.value for each in body.parts[:3])
    return (first + second or first or product) < 0


def _of_form(form: Form, level: Level, orientation: int) -> ZeroSet:
    if form.is_linear and not any(form.slope):
        return _constant(orientation * level.sign)
    if form.is_linear:
        return _line(form, level, orientation)
    if not form.has_centre:
        return _parabola(form, level, orientation)
    weights, axes = form.principal()
    signs = form.signs
    kind, axis = kind_of(*signs, level.sign)
    if kind == "ellipse" and not form.mixed and form.first == form.second:
        kind = "circle"
    found = ZeroSet(
        kind,
        positive_of(kind, signs, level.sign, orientation),
        level.value,
        axes=axes,
        weights=weights,
        axis=axis,
        orientation=orientation,
    )
    if kind == "empty":
        return found
    centre = as_float(form.centre[0]), as_float(form.centre[1])
    lengths = [math.sqrt(abs(level.value)) / math.sqrt(abs(each)) if each else None for each in weights]
    return replace(found, centre=centre, semi_axes=(lengths[0], lengths[1]))


def _constant(sign: int) -> ZeroSet:
    """Of a neuron that no input changes."""
    return ZeroSet("empty" if sign else "plane", "everywhere" if sign > 0 else "nowhere")


def _line(form: Form, level: Level, orientation: int) -> ZeroSet:
    """Of slope . x = L - constant; the neuron grows against the slope, or along it where the orientation is -1."""
    u, v = (as_float(each) for each in form.slope)
    length = math.hypot(u, v)
    offset = level.value / length
    normal = (u / length, v / length)
    centre = (offset * normal[0], offset * normal[1])
    ahead = (-orientation * normal[0] + 0.0, -orientation * normal[1] + 0.0)
    return ZeroSet("line", "ahead", level.value, centre, axes=(ahead, (-ahead[1] + 0.0, ahead[0])), axis=0)


def _parabola(form: Form, level: Level, orientation: int) -> ZeroSet:
    """A point is m across + t flat, and there the form is weight squared (m - middle)^2 - least + rise t."""
    flat = form.flat
    assert flat is not None, "a parabola is flat along its axis"
    across, weight = (-flat[1], flat[0]), form.trace
    squared = flat[0] ** 2 + flat[1] ** 2
    rise = form.slope[0] * flat[0] + form.slope[1] * flat[1]
    middle = -(form.slope[0] * across[0] + form.slope[1] * across[1]) / (2 * weight * squared)
    least = weight * squared * middle**2
    if level.exact is not None:
        along = as_float((level.exact + least) / rise)
    else:
        along = (level.value + as_float(least)) / as_float(rise)
    vertex = [as_float(middle * each) + along * as_float(other) for each, other in zip(across, flat, strict=True)]
    # t grows with the square where rise and weight have opposite signs.
    sign = -sign_of(rise / weight)
    length = math.sqrt(as_float(squared))
    opens = (sign * as_float(flat[0]) / length, sign * as_float(flat[1]) / length)
    return ZeroSet(
        "parabola",
        "inside" if orientation * weight > 0 else "outside",
        level.value,
        centre=(vertex[0], vertex[1]),
        axes=((opens[1] + 0.0, -opens[0] + 0.0), (opens[0] + 0.0, opens[1] + 0.0)),
        weights=(as_float(weight), 0.0),
        axis=0,
        focal_length=abs(as_float(rise)) / length / (4 * abs(as_float(weight))),
        orientation=orientation,
    )
