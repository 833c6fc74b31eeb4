"""All that is found out about one neuron: its zero set or its table of cases, points beside it, and what moves it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from heldout.anatomy.neurons.forms import Point, sign_of
from heldout.anatomy.neurons.lines import Move, NeuronLine, PointFacts, beside, line_of, moved
from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic, as_float
from heldout.anatomy.neurons.polynomials import ZERO, Polynomial, name, number
from heldout.anatomy.neurons.responses import Response, response_of
from heldout.anatomy.neurons.zero_levels import level_of_bell
from heldout.anatomy.neurons.zero_set_cases import Cases, cases_of
from heldout.anatomy.neurons.zero_sets import ZeroSet, zero_set_of
from heldout.errors import UsageError

ExactPoint = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Through:
    """The bias with which a zero set goes through a point.

    Attributes:
        point: The point.
        bias: What the bias must be; of a polynomial, its constant.
        change: What must be added to it; None where it has no number.
        zero_set: What it is then.
    """

    point: Point
    bias: float
    change: float | None
    zero_set: ZeroSet


@dataclass(frozen=True, slots=True)
class Changed:
    """A neuron after a change of its bias.

    Attributes:
        change: What was added.
        bias: What it has become.
        zero_set: What that makes of the zero set.
        move: How a line moved; None for other shapes.
    """

    change: float
    bias: float
    zero_set: ZeroSet
    move: Move | None


@dataclass(frozen=True, slots=True)
class NeuronFacts:
    """What is found out about a neuron.

    Attributes:
        neuron: The neuron.
        zero_set: Where its body is 0; None while names are left in it.
        cases: The table of cases of a bell or a polynomial of second degree; None of a line.
        line: Of a linear neuron with numbers.
        response: What its activation makes of the body; None without one, or while names are left in it.
        points: The points that were asked for.
        through: The bias that was asked for.
        changed: The change of the bias that was asked for.
    """

    neuron: Neuron
    zero_set: ZeroSet | None
    cases: Cases | None
    line: NeuronLine | None
    response: Response | None
    points: tuple[PointFacts, ...] = ()
    through: Through | None = None
    changed: Changed | None = None


def facts_of(
    neuron: Neuron,
    *,
    points: Sequence[ExactPoint] = (),
    through: ExactPoint | None = None,
    change: Fraction | None = None,
) -> NeuronFacts:
    """All about a neuron.

    Args:
        neuron: From `parse_neuron`.
        points: To be placed beside it.
        through: The zero set is to go there, by its bias alone.
        change: Of the bias.

    Raises:
        UsageError: A name has no number that is needed, or a measure is beyond what floats hold.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> found = facts_of(parse_neuron("x1 - 2*x2 + b"), through=(Fraction(3), Fraction(1)))
        >>> found.through.bias, found.through.change
        (-1.0, None)
    """
    body = neuron.body
    is_known = not body.names
    is_linear = isinstance(body, Quadratic) and body.is_linear
    if not is_known and (points or change is not None):
        raise _unknown(neuron, body.names, "a point is to be placed" if points else "its bias is to be changed")
    return NeuronFacts(
        neuron,
        zero_set_of(neuron) if is_known else None,
        None if is_linear else cases_of(_with_bias_named(neuron) if is_known else neuron),
        line_of(*_line_numbers(body)) if is_known and is_linear else None,
        _response(neuron),
        tuple(_placed(body, point) for point in points),
        None if through is None else _through(neuron, through),
        None if change is None else _changed(neuron, change),
    )


def bias_of(body: Quadratic | Bell) -> Polynomial:
    """What moves its zero set alone: the bias of a bell, the constant of a polynomial."""
    return body.bias if isinstance(body, Bell) else body.constant


def with_bias(neuron: Neuron, bias: Polynomial) -> Neuron:
    """The same neuron with another bias."""
    body = neuron.body
    return replace(neuron, body=replace(body, bias=bias) if isinstance(body, Bell) else replace(body, constant=bias))


def _with_bias_named(neuron: Neuron) -> Neuron:
    """The neuron with a name for its bias: what its shapes would be as a function of it."""
    return with_bias(neuron, name("b")) if neuron.kind == "bell" else neuron


def _response(neuron: Neuron) -> Response | None:
    around = neuron.activation
    if around is None or not (around.scale.is_number and around.shift.is_number):
        return None
    return response_of(around.kind, around.scale.value, around.shift.value)


def _line_numbers(body: Quadratic | Bell) -> tuple[Fraction, Fraction, Fraction]:
    assert isinstance(body, Quadratic), "a line is a polynomial"
    return body.first.value, body.second.value, body.constant.value


def _placed(body: Quadratic | Bell, point: ExactPoint) -> PointFacts:
    if isinstance(body, Quadratic) and body.is_linear:
        return beside(*_line_numbers(body), point)
    place = as_float(point[0]), as_float(point[1])
    if isinstance(body, Quadratic):
        value = body.exactly(point)
        return PointFacts(place, as_float(value), sign_of(value), None, None)
    return PointFacts(place, body.at(point), _side_of_bell(body, point), None, None)


def _side_of_bell(body: Bell, point: ExactPoint) -> int:
    """The sign of its value, which far from the centre is nearer to the bias than floats can show."""
    amplitude, bias = body.amplitude.value, body.bias.value
    sign = sign_of(amplitude)
    ratio = -bias / amplitude
    return sign if ratio <= 0 else sign * level_of_bell(ratio, body.exponent.exactly(point)).sign


def _through(neuron: Neuron, point: ExactPoint) -> Through:
    bias = bias_of(neuron.body)
    if left := with_bias(neuron, ZERO).body.names:
        raise _unknown(neuron, left, "its zero set is to go through a point")
    place = as_float(point[0]), as_float(point[1])
    without = with_bias(neuron, ZERO).body
    wanted = -_height(without, point) if isinstance(without, Bell) else -without.exactly(point)
    zero_set = zero_set_of(with_bias(neuron, number(wanted)))
    return Through(place, as_float(wanted), as_float(wanted - bias.value) if bias.is_number else None, zero_set)


def _height(bell: Bell, point: ExactPoint) -> Fraction:
    """Of the bell alone, at a point."""
    found = bell.at(point)
    if not 0 < abs(found) < math.inf:
        raise UsageError(
            f"at the point {as_float(point[0]):g},{as_float(point[1]):g} the bell is {found:g} in floats",
            expected="a point where the exponential is neither too small nor too large for one",
            fix="choose a point nearer to its centre",
        )
    return Fraction(found)


def _changed(neuron: Neuron, change: Fraction) -> Changed:
    body, bias = neuron.body, bias_of(neuron.body).value
    zero_set = zero_set_of(with_bias(neuron, number(bias + change)))
    is_line = isinstance(body, Quadratic) and body.is_linear and not body.is_constant
    move = moved(*_line_numbers(body), change=change) if is_line else None
    return Changed(as_float(change), as_float(bias + change), zero_set, move)


def _unknown(neuron: Neuron, names: frozenset[str], what: str) -> UsageError:
    listed = sorted(names)
    return UsageError(
        f"{what}, and {', '.join(listed)} {'has no number' if len(listed) == 1 else 'have no numbers'}",
        expected="a number for every name that it depends on",
        fix=f"add --at {','.join(f'{each}=1' for each in listed)} (`at=` in Python), with your numbers",
    )
