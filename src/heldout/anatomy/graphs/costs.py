"""What a value and its derivatives cost, operation by operation, for each way to compute them.

Counted is every operation that the pass carries out: `+ - * /`, powers, functions, and a sign change where the result
itself is negative. Free are numbers, the seed dL/dL = 1, products with 1 and sums with 0, and arithmetic between
numbers that are known beforehand. x**2 is one multiplication. The slope of a sigmoid u is u(1 - u), a subtraction and a
multiplication; of tanh 1 - t*t; of exp nothing, for it is its own slope. Nothing is computed twice within one pass.

Sources: Baur & Strassen, The complexity of partial derivatives, Theoretical Computer Science 22, 1983;
Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapters 3 and 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from heldout.anatomy.graphs.gradients import Derivatives, forward_mode, reverse_mode
from heldout.anatomy.graphs.graph import Graph, Node, Tape, ancestors
from heldout.anatomy.graphs.operations import KINDS, OPERATIONS

# Griewank & Walther: the gradient of a scalar costs at most four times the function itself.
CHEAP_GRADIENT = 4
# Baur & Strassen: three times, where only products and quotients of what depends on the inputs count.
NONSCALAR_GRADIENT = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """How many operations.

    Attributes:
        by_kind: Of each kind that occurs, in the order of `KINDS`.
        nonscalar: Those that Baur and Strassen count: all but sums, sign changes, and products with (or division by) a
            number.
    """

    by_kind: Mapping[str, int]
    nonscalar: int

    @property
    def total(self) -> int:
        """Of all kinds."""
        return sum(self.by_kind.values())

    def __add__(self, other: "Tally") -> "Tally":
        kinds = {kind: self.by_kind.get(kind, 0) + other.by_kind.get(kind, 0) for kind in KINDS}
        return Tally({kind: n for kind, n in kinds.items() if n}, self.nonscalar + other.nonscalar)

    def without(self, other: "Tally") -> "Tally":
        """What is left where the other has been done already."""
        kinds = {kind: self.by_kind.get(kind, 0) - other.by_kind.get(kind, 0) for kind in KINDS}
        return Tally({kind: n for kind, n in kinds.items() if n}, self.nonscalar - other.nonscalar)


@dataclass(frozen=True, slots=True)
class Shared:
    """A subexpression that the written-out formulas repeat.

    Attributes:
        place: Where it stands among the nodes of the reverse mode.
        n_written: How often it is written, in the value and the derivatives together.
        n_operations: What one writing of it costs.
    """

    place: int
    n_written: int
    n_operations: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What the value and all wanted derivatives cost.

    Attributes:
        forward: The value alone.
        reverse: Reverse mode: the value, and all derivatives in one sweep back.
        sweeps: Forward mode, for each parameter: the value and its derivative.
        shared_values: Forward mode with the values computed once, and one sweep a parameter.
        vectorised: Forward mode with the local derivatives computed once, too.
        written_value: The value as a formula of the inputs alone, nothing shared.
        written_each: Each derivative as a formula of the inputs alone, nothing shared.
        shared: What these formulas repeat, the most written first. Computed once each, they are the reverse mode.
        is_bounded: Whether the cheap-gradient bound holds by operation: every operation but a power whose exponent
            depends on a parameter, or is computed.
    """

    forward: Tally
    reverse: Tally
    sweeps: Mapping[str, Tally]
    shared_values: Tally
    vectorised: Tally
    written_value: Tally
    written_each: Mapping[str, Tally]
    shared: tuple[Shared, ...]
    is_bounded: bool

    @property
    def backward(self) -> Tally:
        """What reverse mode adds to the value."""
        return self.reverse.without(self.forward)

    @property
    def one_by_one(self) -> Tally:
        """Forward mode, every sweep on its own."""
        return sum(self.sweeps.values(), Tally({}, 0))

    @property
    def written_out(self) -> Tally:
        """The value and each derivative as formulas of the inputs alone."""
        return sum(self.written_each.values(), self.written_value)

    @property
    def ratio(self) -> float:
        """Reverse mode to the value alone; nan where the value takes no operation."""
        return self.reverse.total / self.forward.total if self.forward.total else float("nan")


def costs_of(graph: Graph, parameters: Sequence[str], backwards: Derivatives) -> Costs:
    """Every way's operations.

    Args:
        graph: Of one result.
        parameters: By which it is differentiated.
        backwards: Its reverse mode.
    """
    forward = tally(graph.nodes, [graph.output])
    sweeps = {name: _of_sweep(graph, [name]) for name in parameters}
    once = sum((sweep.without(forward) for sweep in sweeps.values()), forward)
    return Costs(
        forward=forward,
        reverse=tally(backwards.nodes, backwards.outputs),
        sweeps=sweeps,
        shared_values=once,
        vectorised=_of_sweep(graph, parameters),
        written_value=written_out(backwards.nodes, [graph.output]),
        written_each={name: written_out(backwards.nodes, [place]) for name, place in backwards.gradients.items()},
        shared=_shared(backwards),
        is_bounded=all(_is_bounded(node, graph.nodes) for node in graph.nodes),
    )


def _of_sweep(graph: Graph, parameters: Sequence[str]) -> Tally:
    sweep = forward_mode(graph, parameters)
    return tally(sweep.nodes, sweep.outputs)


def tally(nodes: Sequence[Node], outputs: Sequence[int]) -> Tally:
    """What it takes to compute these places, each node once."""
    needed = ancestors(nodes, outputs)
    return _tally(nodes, [int(each) for each in needed])


def written_out(nodes: Sequence[Node], outputs: Sequence[int]) -> Tally:
    """What it takes to compute these places where each is a formula of its own that shares nothing."""
    return _tally(nodes, occurrences(nodes, outputs))


def occurrences(nodes: Sequence[Node], outputs: Sequence[int]) -> list[int]:
    """How often each node is written in the formulas of these places by the inputs alone."""
    counts = [0] * len(nodes)
    for place in outputs:
        counts[place] += 1
    for place in range(len(nodes) - 1, -1, -1):
        for operand in nodes[place].operands:
            counts[operand] += counts[place]
    return counts


def _tally(nodes: Sequence[Node], how_often: Sequence[int]) -> Tally:
    is_constant: list[bool] = []
    by_kind = dict.fromkeys(KINDS, 0)
    nonscalar = 0
    for node, n in zip(nodes, how_often, strict=True):
        is_constant.append(node.operation != "input" and all(is_constant[each] for each in node.operands))
        if node.is_operation:
            by_kind[OPERATIONS[node.operation].kind] += n
            nonscalar += n * _is_nonscalar(node, [is_constant[each] for each in node.operands])
    return Tally({kind: n for kind, n in by_kind.items() if n}, nonscalar)


def _is_nonscalar(node: Node, is_constant: Sequence[bool]) -> bool:
    if node.operation in {"add", "subtract", "negate"} or all(is_constant):
        return False
    if node.operation == "multiply":
        return not any(is_constant)
    return node.operation != "divide" or not is_constant[1]


def _is_bounded(node: Node, nodes: Sequence[Node]) -> bool:
    return node.operation != "power" or nodes[node.operands[1]].operation == "number"


def _shared(backwards: Derivatives) -> tuple[Shared, ...]:
    nodes = backwards.nodes
    counts = occurrences(nodes, backwards.outputs)
    sizes: list[int] = []
    for node in nodes:
        sizes.append(node.is_operation + sum(sizes[operand] for operand in node.operands))
    found = [
        Shared(place, n, sizes[place])
        for place, (n, node) in enumerate(zip(counts, nodes, strict=True))
        if n > 1 and node.is_operation and place not in backwards.outputs
    ]
    return tuple(sorted(found, key=lambda each: (-each.n_written, each.place)))


@dataclass(frozen=True, slots=True)
class Growth:
    """The costs of a chain of neurons with one weight each.

    Attributes:
        n_parameters: How many neurons, and weights.
        forward: Operations of the value alone.
        reverse: Of the value and all derivatives in reverse mode.
        vectorised: The same in forward mode, the values and local derivatives computed once.
        written_out: The same as formulas of the inputs alone.
    """

    n_parameters: int
    forward: int
    reverse: int
    vectorised: int
    written_out: int


@cache
def growth_of(n_parameters: int) -> Growth:
    """How the ways compare on (w_n sigmoid(w_n-1 sigmoid(... w_1 x)) - y)**2.

    Example:
        >>> growth_of(2)
        Growth(n_parameters=2, forward=5, reverse=12, vectorised=12, written_out=27)
    """
    tape = Tape()
    value = tape.input("x")
    for number in range(n_parameters):
        value = tape.apply(
            "multiply", tape.input(f"w{number + 1}"), value if number == 0 else tape.apply("sigmoid", value)
        )
    output = tape.apply("square", tape.apply("subtract", value, tape.input("y")))
    graph = Graph("", tuple(tape.nodes), output, {})
    parameters = [f"w{number + 1}" for number in range(n_parameters)]
    backwards = reverse_mode(graph, parameters)
    return Growth(
        n_parameters,
        tally(graph.nodes, [output]).total,
        tally(backwards.nodes, backwards.outputs).total,
        _of_sweep(graph, parameters).total,
        written_out(backwards.nodes, backwards.outputs).total,
    )
