"""The zero set of a neuron whose numbers are given, in words: which shape it is, where, and its measures."""

import math
from typing import Any

from heldout.anatomy.neurons.forms import Point
from heldout.anatomy.neurons.zero_sets import ZeroSet
from heldout.explaining.document import Formula, Section, Table
from heldout.explaining.neurons.formulas import number_formula, over, root, shown, shown_point

Inputs = tuple[str, str]
# Directions that are upright or level but for rounding.
_FLAT = 1e-12


def shape_words(zero_set: ZeroSet, inputs: Inputs) -> str:
    """The shape and where it lies, as a sentence.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> from heldout.anatomy.neurons.zero_sets import zero_set_of
        >>> shape_words(zero_set_of(parse_neuron("exp(-(x1^2 + 2*x2^2)) - 0.5")), ("x1", "x2"))
        'An ellipse around (0, 0), with semi-axes 0.832555 along x1 and 0.588705 along x2.'
    """
    if zero_set.centre is None:
        return "The whole plane." if zero_set.kind == "plane" else "No point at all."
    centre, names = shown_point(zero_set.centre), axis_names(zero_set, inputs)
    lines = [line_words(*each, inputs) for each in zip(zero_set.points, zero_set.directions, strict=False)]
    first, second = (0.0 if each is None else each for each in zero_set.semi_axes)
    match zero_set.kind:
        case "point":
            return f"The single point {centre}."
        case "line":
            return f"One line: {lines[0]}."
        case "parallel lines":
            pair = [line_words(each, zero_set.directions[0], inputs) for each in zero_set.points]
            return f"Two parallel lines: {pair[0]} and {pair[1]}."
        case "crossing lines":
            return f"Two lines that cross at {centre}: {lines[0]} and {lines[1]}."
        case "circle":
            return f"A circle around {centre} with radius {shown(first)}."
        case "ellipse":
            return (
                f"An ellipse around {centre}, with semi-axes {shown(first)} along {names[0]} and {shown(second)} "
                f"along {names[1]}."
            )
        case "hyperbola":
            one, other = (shown_point(each) for each in zero_set.vertices)
            return (
                f"A hyperbola around {centre} with vertices at {one} and {other}; its asymptotes are {lines[0]} "
                f"and {lines[1]}."
            )
    return f"A parabola with its vertex at {centre}, open towards {shown_point(zero_set.axes[1])}."


def side_words(zero_set: ZeroSet, inputs: Inputs, *, what: str = "y") -> str:
    """Where the neuron is above 0 and where below, as a sentence about `what`."""
    names = axis_names(zero_set, inputs)
    lines = zero_set.kind == "parallel lines"
    pairs = {
        "inside": ("inside", "outside"),
        "outside": ("outside", "inside"),
        "between": ("between the two", "beyond them") if lines else ("between the branches", "beyond them"),
        "beyond": ("beyond the two", "between them") if lines else ("beyond the branches", "between them"),
        "first": (f"in the two sectors along {names[0]}", "in the other two"),
        "second": (f"in the two sectors along {names[1]}", "in the other two"),
    }
    if zero_set.kind == "plane":
        return f"{what} is 0 everywhere."
    if zero_set.positive in pairs:
        above, below = pairs[zero_set.positive]
        return f"{what} is above 0 {above}, and below 0 {below}."
    if zero_set.positive == "ahead":
        return f"{what} is above 0 on the side that {shown_point(zero_set.axes[0])} points to, below 0 on the other."
    word = "above" if zero_set.positive in {"elsewhere", "everywhere"} else "below"
    return f"{what} is {word} 0 everywhere{'' if zero_set.kind == 'empty' else ' else'}."


def line_words(point: Point, direction: Point, inputs: Inputs) -> str:
    """A line as an equation.

    Example:
        >>> line_words((0.0, 1.0), (1.0, 2.0), ("x1", "x2")), line_words((3.0, 0.0), (0.0, 1.0), ("x1", "x2"))
        ('x2 = 2 x1 + 1', 'x1 = 3')
    """
    (x, y), (dx, dy) = point, direction
    if abs(dx) < _FLAT * abs(dy):
        return f"{inputs[0]} = {shown(x)}"
    if abs(dy) < _FLAT * abs(dx):
        return f"{inputs[1]} = {shown(y)}"
    slope = dy / dx
    offset = y - slope * x
    factor = shown(slope)
    factor = {"1": "", "-1": "-"}.get(factor, f"{factor} ")
    # What is left by rounding of two numbers that cancel is no offset.
    if abs(offset) < _FLAT * (abs(y) + abs(slope * x)) or not offset:
        return f"{inputs[1]} = {factor}{inputs[0]}"
    return f"{inputs[1]} = {factor}{inputs[0]} {'-' if offset < 0 else '+'} {shown(abs(offset))}"


def axis_names(zero_set: ZeroSet, inputs: Inputs) -> Inputs:
    """What the two axes are called: the inputs, or directions where the shape is turned."""
    if zero_set.axes == ((1.0, 0.0), (0.0, 1.0)):
        return inputs
    return shown_point(zero_set.axes[0]), shown_point(zero_set.axes[1])


def measures(zero_set: ZeroSet, inputs: Inputs) -> Section | None:
    """The measures of the shape with their formulas; None where it has none."""
    rows = _measure_rows(zero_set, inputs)
    if not rows:
        return None
    table = Table(("measure", "formula", "value"), tuple(rows))
    return Section("Its measures", (table,))


def zero_set_record(zero_set: ZeroSet, inputs: Inputs) -> dict[str, Any]:
    """The numbers of a zero set under plain keys; what the shape has not is null."""
    first, second = zero_set.semi_axes
    return {
        "kind": zero_set.kind,
        "words": shape_words(zero_set, inputs),
        "positive": zero_set.positive,
        "level": zero_set.level,
        "centre": zero_set.centre,
        "axes": zero_set.axes,
        "weights": zero_set.weights,
        "radius": first if zero_set.kind == "circle" else None,
        "semi_axes": [first, second] if zero_set.kind in {"circle", "ellipse", "hyperbola"} else None,
        "half_distance": (first or second) if zero_set.kind == "parallel lines" else None,
        "vertices": zero_set.vertices,
        "foci": zero_set.foci,
        "eccentricity": zero_set.eccentricity,
        "area": zero_set.area,
        "focal_length": zero_set.focal_length,
        "lines": [
            {
                "equation": line_words(point, direction, inputs),
                "point": point,
                "direction": direction,
                "is_asymptote": zero_set.kind == "hyperbola",
            }
            for point, direction in zip(zero_set.points, _repeated(zero_set), strict=True)
        ],
    }


def _repeated(zero_set: ZeroSet) -> tuple[Point, ...]:
    """A direction a line: two parallel ones have the same."""
    return zero_set.directions * 2 if zero_set.kind == "parallel lines" else zero_set.directions


def _measure_rows(zero_set: ZeroSet, inputs: Inputs) -> list[tuple[str, Formula, str]]:
    names = axis_names(zero_set, inputs)
    first, second = (0.0 if each is None else each for each in zero_set.semi_axes)
    if zero_set.kind == "circle":
        return [
            ("radius r", length_formula(zero_set.weights[0]), shown(first)),
            ("area", Formula("pi r^2", r"\pi r^2"), shown(zero_set.area or 0.0)),
        ]
    if zero_set.kind == "ellipse":
        return [
            (f"semi-axis s1, along {names[0]}", length_formula(zero_set.weights[0]), shown(first)),
            (f"semi-axis s2, along {names[1]}", length_formula(zero_set.weights[1]), shown(second)),
            ("area", Formula("pi s1 s2", r"\pi s_1 s_2"), shown(zero_set.area or 0.0)),
            *_eccentric(zero_set, "-"),
        ]
    if zero_set.kind == "hyperbola" and zero_set.axis is not None:
        there = 1 - zero_set.axis
        rise_of = f", {names[1]} by {names[0]}" if names == inputs else ", second axis by first"
        rise = root(over(*(number_formula(abs(each)) for each in zero_set.weights)))
        return [
            (
                f"centre to vertex, along {names[zero_set.axis]}",
                length_formula(zero_set.weights[zero_set.axis]),
                shown((first, second)[zero_set.axis]),
            ),
            (
                f"the other semi-axis, along {names[there]}",
                length_formula(-zero_set.weights[there]),
                shown((first, second)[there]),
            ),
            (f"rise of the asymptotes{rise_of}", plus_minus(rise), f"±{shown(second / first)}"),
            *_eccentric(zero_set, "+"),
        ]
    if zero_set.kind == "parallel lines" and zero_set.axis is not None:
        half = first or second
        return [
            ("from the middle to each line", length_formula(zero_set.weights[zero_set.axis]), shown(half)),
            ("from line to line", Formula("twice that", r"2 s"), shown(2 * half)),
        ]
    if zero_set.kind == "parabola" and zero_set.focal_length is not None:
        rise = Formula("|slope along its axis| / (4 |weight|)", r"|\rho| / (4 |w|)")
        return [
            ("from vertex to focus", rise, shown(zero_set.focal_length)),
            ("focus", Formula("", ""), shown_point(zero_set.foci[0])),
        ]
    return []


def _eccentric(zero_set: ZeroSet, sign: str) -> list[tuple[str, Formula, str]]:
    """Eccentricity and foci of an ellipse (-) or a hyperbola (+)."""
    weights = sorted(map(abs, zero_set.weights))
    if zero_set.kind == "hyperbola" and zero_set.axis is not None:
        weights = [abs(zero_set.weights[zero_set.axis]), abs(zero_set.weights[1 - zero_set.axis])]
    quotient = over(number_formula(weights[0]), number_formula(weights[1]))
    formula = root(Formula(f"1 {sign} {quotient.plain}", f"1 {sign} {quotient.latex}"))
    squares = root(Formula(f"|s1^2 {sign} s2^2|", rf"|s_1^2 {sign} s_2^2|"))
    return [
        ("eccentricity", formula, shown(zero_set.eccentricity or 0.0)),
        ("from the centre to each focus", squares, shown(_focal(zero_set))),
        ("foci", Formula("", ""), " and ".join(shown_point(each) for each in zero_set.foci)),
    ]


def _focal(zero_set: ZeroSet) -> float:
    assert zero_set.centre is not None, "an ellipse and a hyperbola have a centre"
    return math.dist(zero_set.foci[0], zero_set.centre)


def length_formula(weight: float) -> Formula:
    """The length sqrt(L / weight), with the number filled in.

    Example:
        >>> length_formula(2.0).plain, length_formula(-1.0).plain
        ('sqrt(L/2)', 'sqrt(-L)')
    """
    level = Formula("L", "L") if weight > 0 else Formula("-L", "-L")
    return root(over(level, number_formula(abs(weight))))


def plus_minus(formula: Formula) -> Formula:
    """Both signs of something."""
    return Formula(f"±{formula.plain}", rf"\pm {formula.latex}")
