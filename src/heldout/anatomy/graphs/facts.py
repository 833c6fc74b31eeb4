"""Everything about one formula: its graph, values, derivatives in symbols and numbers, and what each way costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.anatomy.graphs.arithmetic import Signed, divided, plus
from heldout.anatomy.graphs.choices import kinks_at, named_in_formulas, names_of, parameters_of, point_of
from heldout.anatomy.graphs.costs import Costs, Growth, Tally, costs_of, growth_of
from heldout.anatomy.graphs.formulas import write
from heldout.anatomy.graphs.gradients import Derivatives, reverse_mode, slope
from heldout.anatomy.graphs.graph import Graph, Node, Tape, UndefinedHere, dependents, values_of
from heldout.anatomy.graphs.notation import PLAIN, short
from heldout.anatomy.graphs.operations import OPERATIONS
from heldout.anatomy.graphs.parsing import parse_graph
from heldout.anatomy.graphs.products import written
from heldout.anatomy.graphs.sharing import cost_regrouped
from heldout.errors import UsageError

CHAINS = (1, 2, 5, 10, 20, 40)


@dataclass(frozen=True, slots=True)
class LocalDerivatives:
    """The derivative of each node by each of its operands.

    Attributes:
        nodes: The graph's own, then those of the local derivatives.
        places: Where each derivative stands, by the node and its operand.
        values: Of all nodes, at the point.
    """

    nodes: tuple[Node, ...]
    places: Mapping[tuple[int, int], Signed]
    values: tuple[float, ...]

    def value(self, node: int, operand: int) -> float:
        """Of one local derivative."""
        return value_of(self.places[node, operand], self.values)


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """One formula, taken apart.

    Attributes:
        graph: As it was read.
        parameters: The inputs by which it is differentiated.
        parameters_are_chosen: Whether nobody said which these are.
        point: The value of every input.
        point_is_chosen: Whether nobody said which point.
        names: Of all nodes but the numbers.
        backwards: The reverse mode.
        values: Of all its nodes.
        local: The local derivatives along the edges that lead to a parameter.
        central: Central differences of the result, by parameter; None where the formula ends beside the point.
        kinks: Nodes at whose kink the point lies: their slope there is set to 0.
        costs: What each way costs.
        regrouped: What the written-out formulas cost after sympy's common-subexpression elimination; None if too long.
        growth: How the ways compare as a chain of neurons gets longer.
    """

    graph: Graph
    parameters: tuple[str, ...]
    parameters_are_chosen: bool
    point: Mapping[str, float]
    point_is_chosen: bool
    names: Mapping[int, str]
    backwards: Derivatives
    values: tuple[float, ...]
    local: LocalDerivatives
    central: Mapping[str, float | None]
    kinks: tuple[int, ...]
    costs: Costs
    regrouped: Tally | None
    growth: tuple[Growth, ...]

    @property
    def value(self) -> float:
        """Of the result."""
        return self.values[self.graph.output]

    @property
    def gradient(self) -> dict[str, float]:
        """The derivative by each parameter at the point."""
        return {name: self.values[place] for name, place in self.backwards.gradients.items()}

    def adjoint(self, place: int) -> float:
        """The derivative of the result by a node that leads to a parameter, at the point."""
        return value_of(self.backwards.along[place], self.values)


def value_of(signed: Signed, values: Sequence[float]) -> float:
    """The number that a signed place stands for."""
    return -values[signed.place] if signed.negative else values[signed.place]


def explain_expression(
    text: str, *, at: str | Mapping[str, float] | None = None, wrt: str | Sequence[str] | None = None
) -> GraphFacts:
    """Everything about a formula.

    Args:
        text: Such as `(w2*sigmoid(w1*x) - y)**2`, or several steps: `z = w*x; (z - y)**2`.
        at: The value of every input, such as `w1=0.5,w2=-1`; a point is chosen without it.
        wrt: The inputs by which it is differentiated; weights and biases, or all, without it.

    Raises:
        UsageError: The text is no formula, a name or a value cannot be meant, or the formula or its derivative is not
            defined at the point; the message names the node.

    Example:
        >>> explain_expression("(w2*sigmoid(w1*x) - y)**2", at="w1=0,w2=1,x=1,y=0").gradient
        {'w1': 0.25, 'w2': 0.5}
    """
    graph = parse_graph(text)
    parameters = parameters_of(graph, wrt)
    point = point_of(graph, at)
    names = names_of(graph, parameters)
    _check_values(graph, names, point)
    backwards = reverse_mode(graph, parameters)
    values = _values_with_derivatives(graph, backwards, names, point)
    return GraphFacts(
        graph=graph,
        parameters=parameters,
        parameters_are_chosen=wrt is None,
        point=point,
        point_is_chosen=at is None,
        names=names,
        backwards=backwards,
        values=values,
        local=_local_derivatives(graph, parameters, point),
        central={name: _central_difference(graph, point, name) for name in parameters},
        kinks=tuple(kinks_at(graph, values)),
        costs=costs_of(graph, parameters, backwards),
        regrouped=cost_regrouped(backwards),
        growth=tuple(growth_of(n) for n in CHAINS),
    )


def _check_values(graph: Graph, names: Mapping[int, str], point: Mapping[str, float]) -> None:
    try:
        values_of(graph.nodes, point)
    except UndefinedHere as error:
        raise UsageError(
            f"{_told(graph, names, error.place)} cannot be computed at this point: {error.reason}"
            f"{_operands(graph, names, error)}",
            expected="values at which every step is defined",
            fix="give others: --at NAME=NUMBER,...",
        ) from None


def _values_with_derivatives(
    graph: Graph, backwards: Derivatives, names: Mapping[int, str], point: Mapping[str, float]
) -> tuple[float, ...]:
    try:
        return tuple(values_of(backwards.nodes, point))
    except UndefinedHere as error:
        cause = backwards.causes[error.place]
        raise UsageError(
            f"the derivative through {_told(graph, names, cause)} is not finite at this point: {error.reason}",
            expected="values at which the formula is smooth",
            fix="give others: --at NAME=NUMBER,...",
        ) from None


def _told(graph: Graph, names: Mapping[int, str], place: int) -> str:
    formula = _formula(graph, names, place)
    return f"{names[place]} = {formula}" if place in named_in_formulas(graph, names) else formula


def _formula(graph: Graph, names: Mapping[int, str], place: int) -> str:
    return written(write(graph.nodes, named_in_formulas(graph, names), PLAIN).own[place], PLAIN)


def _operands(graph: Graph, names: Mapping[int, str], error: UndefinedHere) -> str:
    told = [
        f"{_told(graph, names, operand) if operand not in graph.inputs.values() else names[operand]} = {short(value)}"
        for operand, value in zip(graph.nodes[error.place].operands, error.operands, strict=False)
        if graph.nodes[operand].operation != "number"
    ]
    return f" ({', '.join(told)})" if told else ""


def _local_derivatives(graph: Graph, parameters: Sequence[str], point: Mapping[str, float]) -> LocalDerivatives:
    tape = Tape(graph.nodes)
    wanted = dependents(graph.nodes, [graph.inputs[name] for name in parameters])
    places: dict[tuple[int, int], Signed] = {}
    for place in graph.operations:
        for position, operand in enumerate(graph.nodes[place].operands):
            if wanted[operand]:
                local = slope(tape, place, position)
                total = local.above if local.below is None else divided(tape, local.above, local.below)
                if (place, operand) in places:  # x*x has the same operand twice
                    total = plus(tape, places[place, operand], total)
                places[place, operand] = total
    return LocalDerivatives(tuple(tape.nodes), places, tuple(values_of(tape.nodes, point)))


def _central_difference(graph: Graph, point: Mapping[str, float], name: str) -> float | None:
    """The slope between two points beside this one, as far away as rounding and curvature balance."""
    step = 6e-6 * max(1.0, abs(point[name]))  # the cube root of a double's precision
    try:
        above = values_of(graph.nodes, {**point, name: point[name] + step})[graph.output]
        below = values_of(graph.nodes, {**point, name: point[name] - step})[graph.output]
    except UndefinedHere:
        return None
    return (above - below) / (point[name] + step - (point[name] - step))


def words_of(operation: str) -> str:
    """An operation as a table names it."""
    return OPERATIONS[operation].words if operation in OPERATIONS else operation
