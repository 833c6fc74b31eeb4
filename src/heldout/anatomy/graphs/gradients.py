"""The derivatives of a graph as a longer graph: backwards (reverse mode) or along a parameter (forward mode).

Both write plain operations on a tape that begins with the graph itself; so they can be read, counted and carried out
like any other graph, and what the forward pass has already computed is found on the tape and not computed again.

Source: Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.anatomy.graphs.arithmetic import Signed, divided, number, plus, times, whole
from heldout.anatomy.graphs.graph import Graph, Node, Tape, dependents


@dataclass(frozen=True, slots=True)
class Slope:
    """A local derivative: of a node by one of its operands.

    Attributes:
        above: What a derivative is multiplied by on its way.
        below: What it is divided by; None for 1.
    """

    above: Signed
    below: Signed | None = None


@dataclass(frozen=True, slots=True)
class Derivatives:
    """A graph with what its derivatives take.

    Attributes:
        nodes: The graph's own, then those that are needed on top of them.
        outputs: Where the value and the wanted derivatives stand.
        gradients: Where each wanted derivative stands, by the name of the input; a sign is an operation here.
        along: The derivative at each node that carries one: of the result by the node (reverse), of the node by the
            parameter (forward).
        causes: For which node of the graph each node on top was first written.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    gradients: Mapping[str, int]
    along: Mapping[int, Signed]
    causes: Mapping[int, int]


def reverse_mode(graph: Graph, parameters: Sequence[str]) -> Derivatives:
    """All derivatives in one sweep from the result back to the inputs.

    Args:
        graph: Of one result.
        parameters: The inputs by which it is differentiated.
    """
    tape = Tape(graph.nodes)
    wanted = dependents(graph.nodes, [graph.inputs[name] for name in parameters])
    adjoints: dict[int, Signed] = {graph.output: number(tape, 1)}
    nothing = number(tape, 0)
    causes: dict[int, int] = {}
    for place in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[place]
        if place not in adjoints or not node.is_operation or adjoints[place] == nothing:
            continue
        for position, operand in enumerate(node.operands):
            if wanted[operand]:
                share = chained(tape, adjoints[place], slope(tape, place, position))
                adjoints[operand] = plus(tape, adjoints[operand], share) if operand in adjoints else share
        _remember(causes, tape, graph, place)
    carried = {place: signed for place, signed in adjoints.items() if wanted[place]}
    gradients = {name: whole(tape, carried.get(graph.inputs[name], nothing)) for name in parameters}
    _remember(causes, tape, graph, graph.output)
    outputs = (graph.output, *gradients.values())
    return Derivatives(tuple(tape.nodes), outputs, gradients, carried, causes)


def forward_mode(graph: Graph, parameters: Sequence[str]) -> Derivatives:
    """Derivatives along the inputs in one sweep beside the values.

    With one parameter this is one sweep of forward mode. With several it is vectorised forward mode: the values and the
    local derivatives are computed once for all of them. Where a node cannot depend on a parameter, nothing is computed.

    Args:
        graph: Of one result.
        parameters: The inputs along which it is differentiated; `along` tells of the last one.
    """
    tape = Tape(graph.nodes)
    gradients: dict[str, int] = {}
    tangents: dict[int, Signed] = {}
    causes: dict[int, int] = {}
    for name in parameters:
        tangents = {graph.inputs[name]: number(tape, 1)}
        wanted = dependents(graph.nodes, [graph.inputs[name]])
        for place, node in enumerate(graph.nodes):
            if wanted[place] and node.is_operation:
                tangents[place] = _pushed(tape, place, tangents)
                _remember(causes, tape, graph, place)
        gradients[name] = whole(tape, tangents.get(graph.output, Signed(tape.number(0))))
        _remember(causes, tape, graph, graph.output)
    outputs = (graph.output, *gradients.values())
    return Derivatives(tuple(tape.nodes), outputs, gradients, tangents, causes)


def chained(tape: Tape, derivative: Signed, by: Slope) -> Signed:
    """A derivative times a local derivative."""
    if by.below is None:
        return times(tape, derivative, by.above)
    if tape.nodes[derivative.place].operation == "number":
        return divided(tape, times(tape, derivative, by.above), by.below)
    # Divided first: the two operands of a division then share the quotient.
    return times(tape, divided(tape, derivative, by.below), by.above)


def _pushed(tape: Tape, place: int, tangents: Mapping[int, Signed]) -> Signed:
    node = tape.nodes[place]
    slopes = [slope(tape, place, position) for position, at in enumerate(node.operands) if at in tangents]
    incoming = [tangents[operand] for operand in node.operands if operand in tangents]
    total = Signed(tape.number(0))
    for tangent, by in zip(incoming, slopes, strict=True):
        total = plus(tape, total, times(tape, tangent, by.above))
    below = slopes[0].below  # the same for all operands of an operation
    return total if below is None else divided(tape, total, below)


def slope(tape: Tape, place: int, position: int) -> Slope:
    """The local derivative of a node by one of its operands, in terms of what is on the tape.

    Args:
        tape: Where it is written, as far as it has to be computed.
        place: Of the node.
        position: Of the operand, from 0.
    """
    node = tape.nodes[place]
    value = Signed(place)
    operands = [Signed(operand) for operand in node.operands]
    match node.operation:
        case "add":
            return Slope(number(tape, 1))
        case "subtract":
            return Slope(number(tape, 1 if position == 0 else -1))
        case "negate":
            return Slope(number(tape, -1))
        case "multiply":
            return Slope(operands[1 - position])
        case "divide":
            return Slope(number(tape, 1) if position == 0 else -value, operands[1])
        case "square":
            return Slope(times(tape, number(tape, 2), operands[0]))
        case "power":
            return _slope_of_power(tape, value, operands, position)
    return _slope_of_function(tape, node.operation, value, operands[0])


def _slope_of_power(tape: Tape, value: Signed, operands: list[Signed], position: int) -> Slope:
    base, exponent = operands
    if position == 1:
        return Slope(times(tape, value, Signed(tape.apply("log", base.place))))
    node = tape.nodes[exponent.place]
    if node.operation != "number":
        less = plus(tape, exponent, number(tape, -1))
        return Slope(times(tape, exponent, Signed(tape.apply("power", base.place, whole(tape, less)))))
    n = node.number
    if n in (0, 1):
        return Slope(number(tape, n))
    if n == 3:
        return Slope(times(tape, number(tape, 3), Signed(tape.apply("square", base.place))))
    return Slope(times(tape, number(tape, n), Signed(tape.apply("power", base.place, tape.number(n - 1)))))


def _slope_of_function(tape: Tape, function: str, value: Signed, operand: Signed) -> Slope:
    one = number(tape, 1)
    match function:
        case "exp":
            return Slope(value)
        case "log":
            return Slope(one, operand)
        case "sqrt":
            return Slope(number(tape, 0.5), value)
        case "sin":
            return Slope(Signed(tape.apply("cos", operand.place)))
        case "cos":
            return Slope(-Signed(tape.apply("sin", operand.place)))
        case "tan":
            return Slope(plus(tape, one, Signed(tape.apply("square", value.place))))
        case "tanh":
            return Slope(plus(tape, one, -Signed(tape.apply("square", value.place))))
        case "sigmoid":
            return Slope(times(tape, value, plus(tape, one, -value)))
        case "softplus":
            return Slope(Signed(tape.apply("sigmoid", operand.place)))
        case "relu":
            return Slope(Signed(tape.apply("step", operand.place)))
        case "abs":
            return Slope(Signed(tape.apply("sign", operand.place)))
    raise AssertionError(f"there is no rule for {function}")


def _remember(causes: dict[int, int], tape: Tape, graph: Graph, place: int) -> None:
    for new in range(len(graph.nodes) + len(causes), len(tape.nodes)):
        causes[new] = place
