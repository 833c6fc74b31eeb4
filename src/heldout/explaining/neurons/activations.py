"""What the activation around a neuron makes of it: its values on both sides, on the line, and its own zeros."""

from typing import Any

from heldout.anatomy.neurons.facts import NeuronFacts
from heldout.anatomy.neurons.responses import Response
from heldout.explaining.document import Cell, Formula, Part, Section, Table, Text
from heldout.explaining.neurons.formulas import polynomial_formula, shown

# From a tenth to nine tenths of a sigmoid: 2 ln 9 of z; of a tanh half as much.
_RISES = {"sigmoid": 4.394449154672439, "tanh": 2.1972245773362196}


def activation_section(facts: NeuronFacts) -> Section | None:
    """What the activation makes of z; None without one."""
    around = facts.neuron.activation
    if around is None:
        return None
    scale, shift = polynomial_formula(around.scale), polynomial_formula(around.shift)
    told = f"z is what {around.kind} is taken of; it decides where the neuron changes from one side to the other."
    if facts.response is None:
        words = f"{told} Around it stand the factor {scale.plain} and the addend {shift.plain}, which move no line."
        return Section(f"What {around.kind} makes of it", (Text(words),))
    parts: list[Part] = [Text(told), _values(facts.response), *_steepness(facts), Text(_own_zeros(facts.response))]
    return Section(f"What {around.kind} makes of it", tuple(parts))


def response_record(response: Response) -> dict[str, Any]:
    """The numbers of an activation under plain keys."""
    return {
        "kind": response.kind,
        "below": response.low,
        "above": response.high,
        "on_line": response.on_line,
        "steepness": response.steepness,
        "zero_at": response.zero,
        "zero_side": response.zero_side or None,
    }


def _values(response: Response) -> Table:
    comes_near = "near " if response.kind in {"sigmoid", "tanh"} else ""
    far = "far " if comes_near else ""
    ends = f"{shown(response.low or 0.0)} or {shown(response.high or 0.0)}, by convention"
    on_line = ends if response.on_line is None else shown(response.on_line)
    rows: list[tuple[Cell, ...]] = [
        (f"z {far}below 0", "without bound" if response.low is None else comes_near + shown(response.low)),
        ("z = 0", on_line),
        (f"z {far}above 0", "without bound" if response.high is None else comes_near + shown(response.high)),
    ]
    return Table(("where", "y"), tuple(rows))


def _steepness(facts: NeuronFacts) -> list[Part]:
    """How fast the output changes across a line."""
    response, line = facts.response, facts.line
    if response is None or line is None or response.steepness is None or not line.length:
        return []
    rise = response.steepness * line.length
    width = _RISES[response.kind] / line.length
    factor = shown(response.steepness)
    return [
        Formula(
            f"steepness across the line = {factor} |w| = {shown(rise)} a unit of distance",
            rf"dy/dn = {factor} \|w\| = {shown(rise)}",
        ),
        Text(
            f"From a tenth to nine tenths of its range it takes {shown(width)} of distance. All weights and b times k "
            "leave the line where it is and make this k times as steep."
        ),
    ]


def _own_zeros(response: Response) -> str:
    if response.zero_side:
        return f"y itself is 0 all over the side where z is {'above' if response.zero_side > 0 else 'below'} 0."
    if response.zero is None:
        return "y itself is 0 nowhere: what is drawn and told here is where z is 0."
    if not response.zero:
        return "y itself is 0 there too."
    return f"y itself is 0 where z = {shown(response.zero)}, which is not where z is 0."
