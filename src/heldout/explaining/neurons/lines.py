"""A linear neuron in words: its line, what its weights and its bias do to it, and which way it moves."""

import math
from typing import Any

from heldout.anatomy.neurons.facts import Changed, NeuronFacts, Through
from heldout.anatomy.neurons.lines import NeuronLine, PointFacts
from heldout.anatomy.neurons.neurons import Neuron, Quadratic
from heldout.anatomy.neurons.polynomials import Polynomial
from heldout.explaining.document import Cell, Formula, Part, Section, Table, Text
from heldout.explaining.neurons.formulas import (
    equal,
    negative,
    over,
    polynomial_formula,
    quadratic_formula,
    root,
    shown,
    shown_point,
    sum_of,
)
from heldout.explaining.neurons.shapes import line_words

Inputs = tuple[str, str]
_ZERO = Formula("0", "0")
_LENGTH = Formula("|w|", r"\|w\|")


def answer(facts: NeuronFacts) -> Section:
    """The line and its sides."""
    neuron, line = facts.neuron, facts.line
    equation = equal(quadratic_formula(_body(neuron), neuron.inputs), _ZERO)
    if line is None:
        return Section("Answer", (equation, *_symbolic_answer(neuron)))
    if line.normal is None or line.foot is None:
        told = f"z = b = {shown(line.bias)} everywhere" + (
            f", {'above' if line.bias > 0 else 'below'} 0" * bool(line.bias)
        )
        return Section("Answer", (Text(f"There is no line: both weights are 0, so {told}."),))
    direction = (-line.normal[1], line.normal[0])
    words = f"The line {line_words(line.foot, direction, neuron.inputs)}. {_side_words(line)}"
    return Section("Answer", (equation, Text(words)))


def places(line: NeuronLine, inputs: Inputs) -> Section | None:
    """Where the line lies: a row a measure, with its formula; None where there is no line."""
    if line.normal is None or line.foot is None:
        return None
    none = "none, it is upright" if line.slope is None else ""
    level = "none, it is level"
    rows: list[tuple[Cell, ...]] = [
        ("slope", Formula("-w1/w2", r"-w_1/w_2"), none or shown(line.slope or 0.0)),
        (f"crosses {inputs[0]} at", Formula("-b/w1", r"-b/w_1"), _or(line.intercepts[0], level)),
        (f"crosses {inputs[1]} at", Formula("-b/w2", r"-b/w_2"), _or(line.intercepts[1], none)),
        ("length of w", Formula("|w| = sqrt(w1^2 + w2^2)", r"\|w\| = \sqrt{w_1^2 + w_2^2}"), shown(line.length)),
        ("normal, towards z > 0", Formula("w/|w|", r"w/\|w\|"), shown_point(line.normal)),
        ("signed distance of the origin", Formula("b/|w|", r"b/\|w\|"), shown(line.origin_distance or 0.0)),
        ("its point nearest to the origin", Formula("-b w/|w|^2", r"-b\,w/\|w\|^2"), shown_point(line.foot)),
    ]
    title = f"Where it lies, with w = {shown_point(line.weights)} and b = {shown(line.bias)}"
    return Section(title, (Table(("measure", "formula", "value"), tuple(rows)),))


def bias_section(facts: NeuronFacts) -> Section | None:
    """Which way the line moves when b changes; None where there is no line."""
    neuron, line = facts.neuron, facts.line
    shift = Formula("shift = -d w/|w|^2", r"\Delta = -d\,w/\|w\|^2")
    rise = Formula(f"crossing of {neuron.inputs[1]} moves by -d/w2", r"\Delta x_2 = -d/w_2")
    first = Text("b + d in place of b moves the line along its normal, and turns nothing:")
    if line is None and _body(neuron).is_constant:
        return None
    if line is None:
        return Section("What b does", (first, shift, rise, _sign_table(neuron)))
    if line.normal is None:
        return None
    up, right = _directions(line)
    words = (
        f"The line moves {_both(up, right)} when b grows, and {_both(_opposite(up), _opposite(right))} when b shrinks"
    )
    return Section("What b does", (first, shift, rise, Text(f"{words}: {_reason(line)}"), *_moves(line, neuron.inputs)))


def weights_section(line: NeuronLine | None, inputs: Inputs) -> Section | None:
    """What the weights do; None where there is no line."""
    if line is not None and line.normal is None:
        return None
    rows: list[tuple[Cell, ...]] = [
        ("the ratio of w1 to w2", "sets the slope -w1/w2, and with it the direction of the line"),
        ("w1 alone", f"turns the line about where it crosses {inputs[1]}: there w1 has no say"),
        ("w2 alone", f"turns the line about where it crosses {inputs[0]}"),
        ("w1 and w2 times k, b as it is", "moves the line to 1/k of its distance from the origin, no turn"),
        ("w1, w2 and b times k > 0", "leaves the line where it is; z grows k times as fast across it"),
        ("w1, w2 and b times k < 0", "leaves the line where it is, and swaps its sides"),
        ("w2 = 0", f"makes it upright: {inputs[0]} = -b/w1"),
        ("w1 = 0", f"makes it level: {inputs[1]} = -b/w2"),
        ("w1 = w2 = 0", "leaves no line: all of the plane where b = 0, else no point"),
    ]
    return Section("What the weights do", (Table(("change", "effect"), tuple(rows)),))


def points_table(points: tuple[PointFacts, ...], inputs: Inputs, *, what: str = "z") -> Section:
    """Points beside the zero set."""
    with_distance = any(each.distance is not None for each in points)
    titles = ("point", what, "side") + (("signed distance", "nearest point") if with_distance else ())
    rows: list[tuple[Cell, ...]] = []
    for each in points:
        side = {1: "above 0", 0: "on it", -1: "below 0"}[each.side]
        row: tuple[Cell, ...] = (shown_point(each.point), shown(each.value), side)
        if with_distance:
            row += (shown(each.distance or 0.0), shown_point(each.foot or each.point))
        rows.append(row)
    section: list[Part] = [Table(titles, tuple(rows))]
    if with_distance:
        section.insert(0, Formula("distance = (w . x + b)/|w|", r"d = (w \cdot x + b)/\|w\|"))
    return Section("Points" if len(points) > 1 else "The point", tuple(section))


def through_words(found: Through, bias: Polynomial) -> str:
    """Which bias leads through a point."""
    name = "b" if bias.is_number else polynomial_formula(bias).plain
    told = f"It goes through {shown_point(found.point)} with {name} = {shown(found.bias)}"
    if found.change is None:
        return f"{told}."
    if not found.change:
        return f"It goes through {shown_point(found.point)} already."
    return f"{told}: {'add' if found.change > 0 else 'take away'} {shown(abs(found.change))}."


def changed_words(found: Changed, inputs: Inputs) -> str:
    """How a line moved."""
    assert found.move is not None, "a line moves"
    dx, dy = found.move.shift
    parts = []
    if found.move.upwards is not None:
        parts.append(
            f"it crosses {inputs[1]} {shown(abs(found.move.upwards))} {'higher' if found.move.upwards > 0 else 'lower'}"
        )
    if found.move.rightwards is not None:
        side = "to the right" if found.move.rightwards > 0 else "to the left"
        parts.append(f"{inputs[0]} {shown(abs(found.move.rightwards))} further {side}")
    return (
        f"With b = {shown(found.bias)} the line is {shown(math.hypot(dx, dy))} away, moved by {shown_point((dx, dy))}: "
        f"{', and '.join(parts)}."
    )


def line_record(line: NeuronLine) -> dict[str, Any]:
    """The numbers of a line under plain keys."""
    return {
        "kind": line.kind,
        "weights": line.weights,
        "bias": line.bias,
        "length": line.length,
        "normal": line.normal,
        "normal_angle": line.angle,
        "slope": line.slope,
        "intercepts": line.intercepts,
        "origin_distance": line.origin_distance,
        "nearest_to_origin": line.foot,
        "when_bias_grows": None if line.normal is None else _record_of_directions(line),
    }


def _record_of_directions(line: NeuronLine) -> dict[str, str | None]:
    up, right = _directions(line)
    return {"vertically": up or None, "horizontally": right or None}


def _body(neuron: Neuron) -> Quadratic:
    assert isinstance(neuron.body, Quadratic), "a line is a polynomial"
    return neuron.body


def _or(value: float | None, words: str) -> str:
    return words if value is None else shown(value)


def _side_words(line: NeuronLine) -> str:
    first, second = line.weights
    if second:
        side, other = ("above", "below") if second > 0 else ("below", "above")
        why = f"w2 {'>' if second > 0 else '<'} 0"
    else:
        side, other = ("right of", "left of") if first > 0 else ("left of", "right of")
        why = f"w1 {'>' if first > 0 else '<'} 0"
    normal = shown_point(line.normal or (0.0, 0.0))
    return f"z is above 0 {side} it, where the normal {normal} points, because {why}; {other} it z is below 0."


def _directions(line: NeuronLine) -> tuple[str, str]:
    """Which way the line goes where b grows: up or down, left or right; empty where neither."""
    first, second = line.weights
    up = "" if not second else "down" if second > 0 else "up"
    right = "" if not first else "left" if first > 0 else "right"
    return up, right


def _opposite(word: str) -> str:
    return {"up": "down", "down": "up", "left": "right", "right": "left", "": ""}[word]


def _both(up: str, right: str) -> str:
    return f"{up} and {right}" if up and right else up or right


def _reason(line: NeuronLine) -> str:
    first, second = line.weights
    if not second:
        return f"towards z < 0, because w1 {'>' if first > 0 else '<'} 0. It never moves up or down."
    told = f"towards z < 0, because w2 {'>' if second > 0 else '<'} 0. "
    return (
        told
        + f"So to shift it upwards, {'decrease' if second > 0 else 'increase'} b; were w2 "
        + ("below 0, b would have to grow." if second > 0 else "above 0, b would have to shrink.")
    )


def _moves(line: NeuronLine, inputs: Inputs) -> list[Part]:
    assert line.normal is not None, "asked before"
    distance = 1 / line.length
    rows: list[tuple[Cell, ...]] = []
    for sign in (1, -1):
        shift = (-sign * line.normal[0] * distance, -sign * line.normal[1] * distance)
        first, second = (
            "-" if not weight else f"{shown(crossing)} -> {shown(crossing - sign / weight)}"
            for weight, crossing in zip(line.weights, (each or 0.0 for each in line.intercepts), strict=True)
        )
        rows.append((f"b {'+' if sign > 0 else '-'} 1", shown_point(shift), shown(distance), first, second))
    return [Table(("change", "shift", "distance", f"crosses {inputs[0]}", f"crosses {inputs[1]}"), tuple(rows))]


def _symbolic_answer(neuron: Neuron) -> list[Part]:
    body = _body(neuron)
    first, second, bias = (polynomial_formula(each) for each in (body.first, body.second, body.constant))
    u, v = neuron.inputs
    if body.is_constant:
        words = f"There is no line: both weights are 0. It is 0 everywhere where {bias.plain} = 0, else nowhere."
        return [Text(words)]
    slope = negative(over(first, second))
    squares = root(sum_of([_squared(first), _squared(second)]))
    if body.first.is_number and body.second.is_number:
        length = math.hypot(float(body.first.value), float(body.second.value))
        squares = Formula(shown(length), shown(length))
    told: list[Part] = []
    if body.second.is_zero:
        told.append(equal(Formula(u, u), negative(over(bias, first))))
    else:
        offset = negative(over(bias, second))
        line = sum_of([Formula(f"{slope.plain} {u}", f"{slope.latex} {u}"), offset])
        told.append(Formula(f"{v} = {line.plain}", f"{v} = {line.latex}"))
    told.append(
        Formula(
            f"signed distance of a point = (z there)/|w|, |w| = {squares.plain}",
            rf"d = z/\|w\|,\; \|w\| = {squares.latex}",
        )
    )
    told.append(
        Text(
            f"A line with slope {slope.plain}, at right angles to w = ({first.plain}, {second.plain}). z grows along "
            "w, so z is above 0 on the side that w points to. The origin is on that side where the bias is above 0."
        )
    )
    return told


def _squared(formula: Formula) -> Formula:
    return Formula(
        f"({formula.plain})^2" if not formula.plain.isalnum() else f"{formula.plain}^2",
        rf"\left({formula.latex}\right)^2",
    )


def _sign_table(neuron: Neuron) -> Table:
    body = _body(neuron)
    first, second, bias = (polynomial_formula(each).plain for each in (body.first, body.second, body.constant))
    rows: list[tuple[Cell, ...]] = []
    named = "w2 = " if body.second.is_number else ""
    signs, others = body.second.signs(neuron.nonzero), body.first.signs(neuron.nonzero)
    if 1 in signs:
        rows.append((f"{named}{second} > 0", "above the line", "down", "decrease b"))
    if -1 in signs:
        rows.append((f"{named}{second} < 0", "below the line", "up", "increase b"))
    if 0 in signs and 1 in others:
        rows.append((f"{second} = 0, {first} > 0", "right of the line", "left", "it cannot be"))
    if 0 in signs and -1 in others:
        rows.append((f"{second} = 0, {first} < 0", "left of the line", "right", "it cannot be"))
    if 0 in signs and 0 in others:
        rows.append((f"{second} = {first} = 0", f"everywhere or nowhere: z = {bias}", "no line", "no line"))
    return Table(("where", "z > 0 is", "b grows: it moves", "to shift it upwards"), tuple(rows))
