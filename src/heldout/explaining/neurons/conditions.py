"""The exact condition of a case, and where its shape is, as formulas of the names."""

from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic
from heldout.anatomy.neurons.polynomials import Polynomial
from heldout.anatomy.neurons.zero_set_cases import Case, Cases, Signs
from heldout.explaining.document import Formula
from heldout.explaining.neurons.formulas import (
    body_formula,
    equal,
    exponential_of,
    inverse_times,
    negative,
    number_formula,
    over,
    polynomial_formula,
    quadratic_formula,
    root,
    shifted,
    squares_formula,
    sum_of,
    times,
)
from heldout.explaining.neurons.shapes import plus_minus

_L, _ZERO = Formula("L", "L"), Formula("0", "0")
_SIGNS = {1: ">", 0: "=", -1: "<"}


def shape_name(cases: Cases, case: Case) -> str:
    """The kind, with `circle` where an ellipse is always one."""
    return "circle" if case.kind == "ellipse" and cases.is_circle else case.kind


def titled(neuron: Neuron, cases: Cases, case: Case) -> str:
    """The shape as the table names it: which axis a hyperbola is on, and when an ellipse is a circle."""
    name = shape_name(cases, case)
    if name == "hyperbola":
        return f"hyperbola on {axis_names(neuron, cases)[case.axis or 0]}"
    return name


def size_formula(neuron: Neuron, cases: Cases, case: Case, *, level: Formula = _L) -> Formula:
    """Where the shape is and how large, in names; `level` is what L is written as."""
    u, v = axis_names(neuron, cases)
    weights = weight_formulas(cases)
    lengths = [_length(cases, axis, level) for axis in (0, 1)]
    if case.kind == "point":
        return _centre(cases)
    if case.kind == "ellipse":
        if cases.is_circle:
            return Formula(f"radius {lengths[0].plain}", rf"r = {lengths[0].latex}")
        return Formula(
            f"semi-axes {lengths[0].plain} along {u}, {lengths[1].plain} along {v}",
            rf"s_1 = {lengths[0].latex},\; s_2 = {lengths[1].latex}",
        )
    if case.kind == "hyperbola" and case.axis is not None:
        slope = _rise(weights, case.signs)
        name = (u, v)[case.axis]
        return Formula(
            f"vertices ±{lengths[case.axis].plain} along {name}, asymptotes rise ±{slope.plain}",
            rf"\mathrm{{vertices}}\;\pm {lengths[case.axis].latex},\;\mathrm{{asymptotes}}\;\pm {slope.latex}",
        )
    if case.kind == "crossing lines":
        slope = _rise(weights, case.signs)
        return Formula(
            f"through {_centre(cases).plain}, rising ±{slope.plain}", rf"\mathrm{{slopes}}\;\pm {slope.latex}"
        )
    if case.kind in {"line", "parallel lines"} and case.axis is not None and cases.shape == "central":
        length = plus_minus(lengths[case.axis]) if case.kind == "parallel lines" else _ZERO
        if cases.weights is not None and cases.centre is not None:
            return equal(shifted(neuron.inputs[case.axis], cases.centre[case.axis]), length)
        if case.kind == "line":
            across = f"through the centre, across axis {case.axis + 1}"
            return Formula(across, rf"\mathrm{{{across.replace(' ', '~')}}}")
        along = f"along axis {case.axis + 1} from the centre"
        return Formula(f"{length.plain} {along}", rf"{length.latex}\;\mathrm{{{along.replace(' ', '~')}}}")
    form = quadratic_formula(quadratic_of_body(neuron), neuron.inputs, with_constant=False)
    return equal(form, level)


def level_condition(neuron: Neuron, cases: Cases, level: int | None) -> Formula:
    """When the level has this sign, exactly, as a condition on the bias; L > 0 where nothing is left to be chosen."""
    if len(cases.levels) == 1 and not (cases.bias.names or cases.constant.names):
        return _always(cases, level)
    if cases.amplitude is None:
        constant = polynomial_formula(cases.constant)
        if cases.shape != "central":
            return Formula("always", r"\mathrm{always}")
        if constant.plain.startswith("-") and len(cases.constant.terms) == 1:
            return equal(negative(constant), _ZERO, sign=_SIGNS[level or 0])
        return equal(constant, _ZERO, sign=_SIGNS[-(level or 0)])
    if cases.amplitude.is_number and not cases.bias.is_number:
        return _bias_condition(cases, level)
    ratio = over(negative(polynomial_formula(cases.bias)), polynomial_formula(cases.amplitude))
    limit = _exponential(-cases.constant)
    if level is None:
        return equal(ratio, _ZERO, sign="≤")
    if level == 1:
        return equal(_ZERO, ratio, limit, sign="<") if not cases.bias.is_number else equal(ratio, limit, sign="<")
    return equal(ratio, limit, sign="=" if level == 0 else ">")


def weights_condition(cases: Cases, signs: Signs) -> Formula:
    """When the weights have these signs; empty where they have no other."""
    told = []
    for place, weight in enumerate(weight_formulas(cases)):
        if len({each[place] for each in cases.signs}) > 1:
            told.append(equal(weight, _ZERO, sign=_SIGNS[signs[place]]))
    unique = list(dict.fromkeys(told))
    return Formula(", ".join(each.plain for each in unique), r",\; ".join(each.latex for each in unique))


def case_condition(neuron: Neuron, cases: Cases, case: Case) -> str:
    """The whole condition of a case in one line."""
    both = weights_condition(cases, case.signs).plain, level_condition(neuron, cases, case.level).plain
    return " and ".join(each for each in both if each)


def weight_formulas(cases: Cases) -> tuple[Formula, Formula]:
    """The two weights: as they stand, as numbers, or as the eigenvalues of a form with names."""
    if cases.weights is not None:
        return polynomial_formula(cases.weights[0]), polynomial_formula(cases.weights[1])
    if cases.turned is not None:
        return number_formula(cases.turned[0]), number_formula(cases.turned[1])
    return Formula("l1", r"\lambda_1"), Formula("l2", r"\lambda_2")


def level_formula(cases: Cases) -> Formula:
    """What L is."""
    if cases.amplitude is None:
        return negative(polynomial_formula(cases.constant))
    ratio = over(negative(polynomial_formula(cases.bias)), polynomial_formula(cases.amplitude))
    level = Formula(f"-ln({ratio.plain})", rf"-\ln\left({ratio.latex}\right)")
    return level if cases.constant.is_zero else sum_of([level, negative(polynomial_formula(cases.constant))])


def level_words(cases: Cases, level: int | None) -> str:
    """The sign of L."""
    if level is None:
        return "none"
    return f"L {_SIGNS[level]} 0" if cases.shape == "central" else "any L"


def _always(cases: Cases, level: int | None) -> Formula:
    if level is None or cases.shape != "central":
        words = "nowhere" if level is None else "always"
        return Formula(words, rf"\mathrm{{{words.replace(' ', '~')}}}")
    return equal(_L, _ZERO, sign=_SIGNS[level])


def _bias_condition(cases: Cases, level: int | None) -> Formula:
    """In terms of the bias alone: between 0 and the limit -amplitude exp(-constant), at it, or beyond."""
    assert cases.amplitude is not None, "of a bell"
    bias, is_up = polynomial_formula(cases.bias), cases.amplitude.value > 0
    limit = limit_formula(cases)
    if level is None:
        return equal(bias, _ZERO, sign="≥" if is_up else "≤")
    if cases.shape != "central":
        return equal(bias, _ZERO, sign="<" if is_up else ">")
    if level == 0:
        return equal(bias, limit)
    if level == 1:
        return equal(*((limit, bias, _ZERO) if is_up else (_ZERO, bias, limit)), sign="<")
    return equal(bias, limit, sign="<" if is_up else ">")


def limit_formula(cases: Cases) -> Formula:
    """The bias that is just reached at the centre: -amplitude exp(-constant)."""
    assert cases.amplitude is not None, "of a bell"
    factor = polynomial_formula(-cases.amplitude)
    if cases.constant.is_zero:
        return factor
    exponential = _exponential(-cases.constant)
    if factor.plain in {"1", "-1"}:
        return Formula(factor.plain[:-1] + exponential.plain, factor.plain[:-1] + exponential.latex)
    return Formula(f"{factor.plain} {exponential.plain}", f"{factor.latex} {exponential.latex}")


def _exponential(power: Polynomial) -> Formula:
    if power.is_zero:
        return Formula("1", "1")
    inner = polynomial_formula(power)
    return Formula(f"exp({inner.plain})", rf"e^{{{inner.latex}}}")


def axis_names(neuron: Neuron, cases: Cases) -> tuple[str, str]:
    """What the axes of the form are called."""
    return neuron.inputs if cases.weights is not None else ("axis 1", "axis 2")


def _centre(cases: Cases) -> Formula:
    if cases.centre is None:
        return Formula("the centre", r"\mathrm{centre}")
    first, second = (polynomial_formula(each) for each in cases.centre)
    return Formula(f"({first.plain}, {second.plain})", rf"\left({first.latex}, {second.latex}\right)")


def _length(cases: Cases, axis: int, level: Formula) -> Formula:
    """The length sqrt(L / weight), or sqrt(-L / -weight) where a number shows its sign."""
    weight = weight_formulas(cases)[axis]
    is_negative = weight.plain.startswith("-")
    if cases.weights is not None:
        exact = -cases.weights[axis] if is_negative else cases.weights[axis]
        return root(inverse_times(exact, negative(level) if is_negative else level))
    return root(over(negative(level), negative(weight)) if is_negative else over(level, weight))


def _rise(weights: tuple[Formula, Formula], signs: Signs) -> Formula:
    """How the lines rise, sqrt(-w1/w2): the second axis by the first."""
    first, second = weights
    if first.plain.startswith("-"):
        return root(over(negative(first), second))
    if second.plain.startswith("-"):
        return root(over(first, negative(second)))
    return root(over(negative(first), second))


def readable_body(neuron: Neuron, cases: Cases | None) -> Formula:
    """The body as a reader would write it: the exponent of a bell as squares about its centre, where it has one."""
    if not isinstance(neuron.body, Bell):
        return body_formula(neuron.body, neuron.inputs)
    bell = neuron.body
    found = times(polynomial_formula(bell.amplitude), readable_bell(neuron, cases))
    return found if bell.bias.is_zero else sum_of([found, polynomial_formula(bell.bias)])


def readable_bell(neuron: Neuron, cases: Cases | None) -> Formula:
    """The exponential of a bell alone."""
    quadratic = quadratic_of_body(neuron)
    if cases is None or cases.weights is None or cases.centre is None:
        return exponential_of(quadratic_formula(quadratic, neuron.inputs))
    form = squares_formula(cases.weights, cases.centre, neuron.inputs)
    constant = [] if cases.constant.is_zero and form.plain != "0" else [polynomial_formula(cases.constant)]
    return exponential_of(sum_of([form, *constant]) if form.plain != "0" else constant[0])


def quadratic_of_body(neuron: Neuron) -> Quadratic:
    """The polynomial of the inputs: the body itself, or the exponent of a bell."""
    return neuron.body.exponent if isinstance(neuron.body, Bell) else neuron.body
