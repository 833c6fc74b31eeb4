"""How a zero set comes about, with the numbers filled in: the level, the weights, and what their signs decide."""

from heldout.anatomy.neurons.forms import Form
from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic
from heldout.anatomy.neurons.polynomials import Polynomial, number
from heldout.anatomy.neurons.zero_set_cases import Cases
from heldout.anatomy.neurons.zero_sets import ZeroSet, is_negative
from heldout.explaining.document import Formula, Part, Section, Text
from heldout.explaining.neurons.conditions import readable_bell
from heldout.explaining.neurons.formulas import (
    as_latex,
    equal,
    negative,
    number_formula,
    over,
    quadratic_formula,
    shown,
    shown_point,
    squares_formula,
    sum_of,
)

_L = Formula("L", "L")
# What 16 digits of a number cannot tell (assumed: a few of them are added).
_ROUNDED = 1e-14
_X_Y = ((1.0, 0.0), (0.0, 1.0))


def derivation(neuron: Neuron, zero_set: ZeroSet, cases: Cases | None = None) -> Section:
    """How the shape comes about.

    Args:
        neuron: With a number for every name of its body.
        zero_set: Of it.
        cases: Of it, for its centre.
    """
    parts = _of_bell(neuron, zero_set, cases) if isinstance(neuron.body, Bell) else _of_polynomial(neuron, zero_set)
    return Section("How it comes about", tuple(parts))


def form_formula(quadratic: Quadratic, inputs: tuple[str, str]) -> tuple[Formula, Polynomial]:
    """The part with inputs, as squares about the centre where nothing is turned, and the constant beside it."""
    form = Form.of(quadratic)
    if form.has_centre and not form.mixed:
        centre = (number(form.centre[0]), number(form.centre[1]))
        weights = (quadratic.first_square, quadratic.second_square)
        return squares_formula(weights, centre, inputs), number(form.at_centre)
    return quadratic_formula(quadratic, inputs, with_constant=False), quadratic.constant


def _of_bell(neuron: Neuron, zero_set: ZeroSet, cases: Cases | None) -> list[Part]:
    assert isinstance(neuron.body, Bell), "asked before"
    bell = neuron.body
    amplitude, bias = bell.amplitude.value, bell.bias.value
    ratio = number_formula(-bias / amplitude)
    quotient = over(number_formula(-bias), number_formula(amplitude))
    alone = readable_bell(neuron, cases)
    parts: list[Part] = [equal(*dict.fromkeys([alone, quotient, ratio]))]
    if -bias / amplitude <= 0:
        return [*parts, Text("An exponential is above 0 everywhere, so no point solves it.")]
    if zero_set.level is None:
        return [*parts, Text("No input changes the left side.")]
    form, constant = form_formula(bell.exponent, neuron.inputs)
    level = Formula(f"-ln({ratio.plain})", rf"-\ln\left({ratio.latex}\right)")
    if not constant.is_zero:
        level = sum_of([level, negative(number_formula(constant.value))])
    value = Formula(shown(zero_set.level), as_latex(zero_set.level))
    parts += [equal(form, _L), equal(_L, level, value), *_turned(zero_set)]
    limit = "1" if constant.is_zero else f"exp({number_formula(-constant.value).plain})"
    relation = {1: "<", 0: "=", -1: ">"}[_sign(zero_set.level)]
    parts.append(Text(_decided(zero_set, f", because {ratio.plain} {relation} {limit}")))
    if neuron.is_rounded and abs(zero_set.level) < _ROUNDED:
        words = "Numbers such as exp(1) were rounded, and L is so near to 0 that without the rounding it might be 0."
        parts.append(Text(words))
    return parts


def _of_polynomial(neuron: Neuron, zero_set: ZeroSet) -> list[Part]:
    assert isinstance(neuron.body, Quadratic), "asked before"
    quadratic = neuron.body
    if zero_set.level is None:
        return [Text("No input changes it.")]
    form, constant = form_formula(-quadratic if is_negative(quadratic) else quadratic, neuron.inputs)
    parts: list[Part] = [equal(form, _L), equal(_L, number_formula(-constant.value))]
    return [*parts, *_turned(zero_set), Text(_decided(zero_set, ""))]


def _turned(zero_set: ZeroSet) -> list[Part]:
    """What the form is along its own axes."""
    if zero_set.axes == _X_Y or zero_set.weights == (0.0, 0.0) or zero_set.kind == "parabola":
        return []
    (first, second), (u, v) = map(shown, zero_set.weights), map(shown_point, zero_set.axes)
    return [
        Text(
            f"The weights are the eigenvalues of the form: {first} along the direction {u}, {second} along {v}, which "
            "is at right angles to it."
        )
    ]


def _decided(zero_set: ZeroSet, because: str) -> str:
    """Which signs decide that it is this shape."""
    assert zero_set.level is not None, "asked before"
    if zero_set.weights == (0.0, 0.0) and zero_set.kind == "line":
        return "Nothing is squared, so it is one line whatever L is."
    if zero_set.kind == "parabola":
        return "Squares stand along one direction alone, and the form goes on evenly along the other: a parabola."
    level = f"L {'=><'[_sign(zero_set.level)]} 0{because}"
    first, second = (_sign(each) for each in zero_set.weights)
    if first * second > 0:
        weights = f"Both weights are {'above' if first > 0 else 'below'} 0"
    elif first * second < 0:
        weights = "One weight is above 0 and one below"
    elif first or second:
        weights = f"One weight is {'above' if first + second > 0 else 'below'} 0, the other is 0"
    else:
        weights = "Both weights are 0"
    equal_weights = ", and equal" if zero_set.kind == "circle" else ""
    return f"{level}. {weights}{equal_weights}. So it is {NAMES[zero_set.kind]}."


NAMES = {
    "empty": "no point at all",
    "point": "a point",
    "line": "one line",
    "parallel lines": "two parallel lines",
    "circle": "a circle",
    "ellipse": "an ellipse",
    "hyperbola": "a hyperbola",
    "crossing lines": "two crossing lines",
    "parabola": "a parabola",
    "plane": "the whole plane",
}


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
