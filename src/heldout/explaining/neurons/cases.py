"""The table of cases of a neuron whose numbers are not all given: which shape where, and how large it is."""

import math
from typing import Any

from heldout.anatomy.neurons.forms import Form
from heldout.anatomy.neurons.neurons import Bell, Neuron
from heldout.anatomy.neurons.polynomials import HALF, ONE
from heldout.anatomy.neurons.zero_levels import level_of_bell
from heldout.anatomy.neurons.zero_set_cases import Cases
from heldout.explaining.document import Cell, Formula, Part, Section, Table, Text
from heldout.explaining.neurons.conditions import (
    axis_names,
    case_condition,
    level_condition,
    level_formula,
    level_words,
    limit_formula,
    quadratic_of_body,
    readable_bell,
    shape_name,
    size_formula,
    titled,
    weight_formulas,
    weights_condition,
)
from heldout.explaining.neurons.formulas import (
    as_latex,
    equal,
    negative,
    over,
    polynomial_formula,
    quadratic_formula,
    shown,
    shown_point,
    squares_formula,
)

_L = Formula("L", "L")


def answer(neuron: Neuron, cases: Cases) -> Section:
    """The table of shapes, first."""
    shapes = [shape_name(cases, case) for case in cases.cases if case.kind != "empty"]
    shapes += ["no point at all"] * any(case.kind == "empty" for case in cases.cases)
    told = [f"It depends on {listed(neuron.names, 'and')}. It can be: {listed(tuple(dict.fromkeys(shapes)), 'or')}."]
    if cases.is_circle is None and any(case.kind == "ellipse" for case in cases.cases):
        told.append(f"An ellipse is a circle where {_equal_weights(cases).plain}.")
    parts: list[Part] = [Text(" ".join(told)), *_definitions(neuron, cases)]
    if len(cases.signs) == 1 or cases.shape != "central":
        return Section("Answer", (*parts, _by_level(neuron, cases)))
    return Section("Answer", (*parts, _by_signs(neuron, cases)))


def measures(neuron: Neuron, cases: Cases) -> Section | None:
    """How large each shape is; None where the table of shapes has said so already."""
    if len(cases.signs) == 1 or cases.shape != "central":
        return None
    rows: dict[tuple[str, int | None], tuple[Cell, ...]] = {}
    for case in cases.cases:
        if case.kind not in {"empty", "plane"} and (case.kind, case.axis) not in rows:
            rows[case.kind, case.axis] = (titled(neuron, cases, case), size_formula(neuron, cases, case))
    return Section("How large they are", (Table(("shape", "where"), tuple(rows.values())),))


def by_bias(neuron: Neuron, cases: Cases) -> Section:
    """What a neuron whose numbers are given would be with another bias, which is called b."""
    parts: list[Part] = [equal(_L, level_formula(cases))]
    if cases.turned is not None:
        axes = Form.of(quadratic_of_body(neuron)).principal()[1]
        parts.append(Text(f"Axis 1 is along {shown_point(axes[0])}, axis 2 along {shown_point(axes[1])}."))
    return Section("As a function of the bias b", (*parts, _by_level(neuron, cases)))


def derivation(neuron: Neuron, cases: Cases) -> Section:
    """Why: from y = 0 to the level, and why there is none for some biases."""
    body = neuron.body
    if not isinstance(body, Bell):
        return Section("How it comes about", (Text("Everything with an input goes to the left, the rest is L."),))
    alone = readable_bell(neuron, cases)
    ratio = over(negative(polynomial_formula(body.bias)), polynomial_formula(body.amplitude))
    parts: list[Part] = [
        equal(alone, ratio),
        Text(
            f"An exponential is above 0, so there is a solution only where {ratio.plain} > 0"
            f"{', which it is' if cases.levels != (None,) and not (cases.bias.names | body.amplitude.names) else ''}. "
            "Then the logarithm of both sides gives the level L, and the signs of the weights and of L decide."
        ),
        equal(_L, level_formula(cases)),
    ]
    if not body.amplitude.is_number:
        name = polynomial_formula(body.amplitude).plain
        parts.append(
            Text(f"Where {name} = 0 no exponential is left: all of the plane where the bias is 0, else nothing.")
        )
    return Section("How it comes about", tuple(parts))


def short_answer(neuron: Neuron, cases: Cases) -> tuple[Section, dict[str, Any]] | None:
    """The answer that is usually given, which is one row of the table, and the cases that it leaves out."""
    ellipses = [case for case in cases.cases if case.kind == "ellipse"]
    if cases.amplitude != ONE or cases.bias.is_number or not ellipses or (ellipses[0].signs != (1, 1)):
        return None
    shape = titled(neuron, cases, ellipses[0]).split(" (")[0]
    size = size_formula(neuron, cases, ellipses[0], level=level_formula(cases))
    left = [case for case in cases.cases if case is not ellipses[0]]
    told = [(case_condition(neuron, cases, case), shape_name(cases, case)) for case in left]
    shapes = dict.fromkeys(name for _, name in told)
    rows: list[tuple[Cell, ...]] = []
    for name in shapes:
        conditions = [condition for condition, each in told if each == name]
        more = len(conditions) - 1
        rows.append((name, conditions[0], f"and {more} cases more" if more > 1 else "or ".join(["", *conditions[1:]])))
    says = f"{'A' if shape == 'circle' else 'An'} {shape}: {size.plain}"
    holds = case_condition(neuron, cases, ellipses[0])
    section = Section(
        "The usual short answer, and what it leaves out",
        (
            Text(f'"{says}." It is right where {holds}: one of the {len(cases.cases)} cases. The others:'),
            Table(("shape", "where", ""), tuple(rows)),
        ),
    )
    missed = [{"kind": name, "when": condition} for condition, name in told]
    return section, {"says": says, "holds_when": holds, "leaves_out": missed}


def cases_record(neuron: Neuron, cases: Cases) -> list[dict[str, Any]]:
    """Every case under plain keys."""
    return [
        {
            "weights": case.signs if cases.shape == "central" else None,
            "level": case.level,
            "when": case_condition(neuron, cases, case),
            "kind": shape_name(cases, case),
            "axis": None if case.axis is None else axis_names(neuron, cases)[case.axis],
            "where": None if case.kind in {"empty", "plane"} else size_formula(neuron, cases, case).plain,
            "positive": case.positive or None,
        }
        for case in cases.cases
    ]


def _definitions(neuron: Neuron, cases: Cases) -> list[Part]:
    """What L is, and the weights where they do not stand in the expression."""
    quadratic = quadratic_of_body(neuron)
    if cases.weights is not None and cases.centre is not None:
        form = squares_formula(cases.weights, cases.centre, neuron.inputs)
    else:
        form = quadratic_formula(quadratic, neuron.inputs, with_constant=False)
    parts: list[Part] = [equal(form, _L), equal(_L, level_formula(cases), *_level_value(cases))]
    if _has_odd_limit(cases):
        assert cases.amplitude is not None, "asked before"
        limit = -float(cases.amplitude.value) * math.exp(-float(cases.constant.value))
        parts.append(equal(limit_formula(cases), Formula(shown(limit), as_latex(limit)), sign="≈"))
    if cases.shape == "central" and cases.weights is None and cases.turned is None:
        parts.append(_eigenvalues(cases))
        parts.append(
            Text(
                "l1 and l2, the larger first, are the eigenvalues: the weights along the axes of the form. Axis 1 has "
                f"the angle atan2({polynomial_formula(cases.form[1]).plain}, "
                f"{polynomial_formula(cases.form[0] - cases.form[2]).plain})/2 with {neuron.inputs[0]}, axis 2 is at "
                "right angles to it."
            )
        )
    return parts


def _level_value(cases: Cases) -> list[Formula]:
    """The number that L is, where it has no names."""
    if cases.amplitude is None or (cases.amplitude.names | cases.bias.names | cases.constant.names):
        return []
    if cases.amplitude.is_zero or -cases.bias.value / cases.amplitude.value <= 0:
        return []
    level = level_of_bell(-cases.bias.value / cases.amplitude.value, cases.constant.value)
    return [Formula(shown(level.value), as_latex(level.value))]


def _has_odd_limit(cases: Cases) -> bool:
    """Whether the limit of the bias is a number that is no fraction, and not too large to be shown."""
    if cases.amplitude is None or cases.shape != "central" or cases.bias.is_number:
        return False
    if not (cases.amplitude.is_number and cases.constant.is_number) or cases.constant.is_zero:
        return False
    return abs(cases.constant.value) < 200


def _eigenvalues(cases: Cases) -> Formula:
    """The two weights of a form with names, by its trace and the rest."""
    first, mixed, second = cases.form
    two = Formula("2", "2")
    half, spread = over(polynomial_formula(first + second), two), over(polynomial_formula(first - second), two)
    skew = over(polynomial_formula(mixed), two) if mixed.ratio_to(ONE) else polynomial_formula(mixed * HALF)
    return Formula(
        f"l1, l2 = {half.plain} ± sqrt(({spread.plain})^2 + ({skew.plain})^2)",
        rf"\lambda_{{1,2}} = {half.latex} \pm \sqrt{{\left({spread.latex}\right)^2 + \left({skew.latex}\right)^2}}",
    )


def _by_level(neuron: Neuron, cases: Cases) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for case in cases.cases:
        is_shape = case.kind not in {"empty", "plane"}
        where: Cell = size_formula(neuron, cases, case, level=level_formula(cases)) if is_shape else ""
        rows.append(
            (
                level_condition(neuron, cases, case.level),
                level_words(cases, case.level),
                titled(neuron, cases, case),
                where,
            )
        )
    return Table(("where", "level", "shape", "where and how large"), tuple(rows))


def _by_signs(neuron: Neuron, cases: Cases) -> Table:
    columns = ["weights"]
    for level in cases.levels:
        condition, words = level_condition(neuron, cases, level).plain, level_words(cases, level)
        columns.append(condition if condition == words or level is None else f"{condition} ({words})")
    rows: list[tuple[Cell, ...]] = []
    for signs in cases.signs:
        cells = [titled(neuron, cases, cases.at(signs, level)) for level in cases.levels]
        rows.append((weights_condition(cases, signs), *cells))
    return Table(tuple(columns), tuple(rows))


def _equal_weights(cases: Cases) -> Formula:
    first, second = weight_formulas(cases)
    is_number = cases.weights is not None and cases.weights[0].is_number
    return equal(second, first) if is_number else equal(first, second)


def listed(words: tuple[str, ...], last: str) -> str:
    """Words as a sentence lists them.

    Example:
        >>> listed(("a", "b", "c"), "or")
        'a, b or c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
