"""The formulas of a graph, each twice: for a terminal and for LaTeX."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.anatomy.graphs.arithmetic import Signed
from heldout.anatomy.graphs.choices import named_in_formulas
from heldout.anatomy.graphs.facts import GraphFacts
from heldout.anatomy.graphs.formulas import Derivative, Name, Writing, write
from heldout.anatomy.graphs.graph import Node, ancestors
from heldout.anatomy.graphs.notation import DRAWN, LATEX, PLAIN, Notation
from heldout.anatomy.graphs.products import Product, negated, written
from heldout.explaining.document import Formula

# A longer derivative is told by the derivatives that it is made of: dL/dz = dL/du u(1 - u).
LONGEST = 44


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the backward pass.

    Attributes:
        place: Among the nodes of the reverse mode.
        name: Of what it gives.
        formula: What it computes.
    """

    place: int
    name: Formula
    formula: Formula


@dataclass(frozen=True, slots=True)
class GraphFormulas:
    """What is written about a graph.

    Attributes:
        steps: Each forward operation by the names of its operands, by place.
        named: What each node that formulas call by name is made of, by place.
        derivatives: Of the result by each node that leads to a parameter, by place.
        local: Of a node by an operand, by both places.
        alone: Each derivative by the inputs alone, by parameter.
        shared: What the written-out formulas repeat, by its place in the reverse mode.
        backward: The operations of the backward pass.
        aliases: Derivatives that equal another one, which therefore cost nothing.
    """

    steps: Mapping[int, Formula]
    named: Mapping[int, Formula]
    derivatives: Mapping[int, Formula]
    local: Mapping[tuple[int, int], Formula]
    alone: Mapping[str, Formula]
    shared: Mapping[int, Formula]
    backward: tuple[Step, ...]
    aliases: tuple[tuple[str, str], ...]


def formulas_of(facts: GraphFacts) -> GraphFormulas:
    """Everything that is written about a graph."""
    graph, names = facts.graph, facts.names
    short_names = named_in_formulas(graph, names)
    backwards, n_forward = facts.backwards, len(graph.nodes)
    derivatives = _derivative_names(facts, short_names)
    strict = _both(graph.nodes, names)
    named = _both(graph.nodes, short_names)
    carried = _both(backwards.nodes, short_names, when_long=derivatives)
    local = _both(facts.local.nodes, short_names)
    alone = _both(backwards.nodes, {})
    return GraphFormulas(
        steps={place: strict.own(place) for place in graph.operations},
        named={place: named.own(place) for place in graph.operations if place in short_names},
        derivatives={
            place: carried.signed(signed, by_name=signed.place < n_forward) for place, signed in backwards.along.items()
        },
        local={
            edge: local.signed(signed, by_name=signed.place < n_forward) for edge, signed in facts.local.places.items()
        },
        alone={name: alone.own(place) for name, place in backwards.gradients.items()},
        shared={each.place: alone.own(each.place) for each in facts.costs.shared},
        backward=_backward_steps(facts, derivatives),
        aliases=_aliases(facts, derivatives),
    )


def symbol(name: Name) -> Formula:
    """A name, or the name of a derivative."""
    if isinstance(name, Derivative):
        return Formula(PLAIN.derivative(name.of, name.by), LATEX.derivative(name.of, name.by))
    return Formula(PLAIN.name(name), LATEX.name(name))


def equation(left: Formula, *right: Formula) -> Formula:
    """Two or more formulas with = between them."""
    return Formula(" = ".join(each.plain for each in (left, *right)), " = ".join(each.latex for each in (left, *right)))


def drawn_formulas(facts: GraphFacts) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    """Each node's formula and each local derivative as a drawing shows them."""
    names = facts.names
    nodes = write(facts.graph.nodes, names, DRAWN).own
    short_names = named_in_formulas(facts.graph, names)
    local = write(facts.local.nodes, short_names, DRAWN)
    edges = {}
    for edge, signed in facts.local.places.items():
        product = (local.seen if signed.place < len(facts.graph.nodes) else local.own)[signed.place]
        edges[edge] = written(negated(product) if signed.negative else product, DRAWN)
    return {place: written(nodes[place], DRAWN) for place in facts.graph.operations}, edges


@dataclass(frozen=True, slots=True)
class _Both:
    """The same nodes in both notations."""

    plain: Writing
    latex: Writing

    def own(self, place: int) -> Formula:
        return _formula(self.plain.own[place], self.latex.own[place])

    def signed(self, signed: Signed, *, by_name: bool) -> Formula:
        plain, latex = (each.seen if by_name else each.own for each in (self.plain, self.latex))
        if signed.negative:
            return _formula(negated(plain[signed.place]), negated(latex[signed.place]))
        return _formula(plain[signed.place], latex[signed.place])


def _both(nodes: Sequence[Node], names: Mapping[int, Name], *, when_long: Mapping[int, Name] | None = None) -> _Both:
    def one(notation: Notation) -> Writing:
        if when_long is None:
            return write(nodes, names, notation)
        return write(nodes, names, notation, when_long=when_long, longest=LONGEST)

    return _Both(one(PLAIN), one(LATEX))


def _formula(plain: Product, latex: Product) -> Formula:
    return Formula(written(plain, PLAIN), written(latex, LATEX))


def _derivative_names(facts: GraphFacts, short_names: Mapping[int, str]) -> dict[int, Name]:
    """What derivatives are called where they are used again; of several at one place, the best known."""
    output = facts.names[facts.graph.output]
    found: dict[int, int] = {}

    def rank(place: int) -> tuple[bool, bool, int]:
        return place in short_names, facts.graph.nodes[place].is_operation, -place

    for place, signed in facts.backwards.along.items():
        is_new = signed.place >= len(facts.graph.nodes) and facts.backwards.nodes[signed.place].is_operation
        if is_new and not signed.negative and (signed.place not in found or rank(found[signed.place]) < rank(place)):
            found[signed.place] = place
    for name, place in facts.backwards.gradients.items():  # a sign was computed for its own sake
        if place >= len(facts.graph.nodes) and facts.backwards.nodes[place].is_operation:
            found.setdefault(place, facts.graph.inputs[name])
    return {place: Derivative(output, facts.names[by]) for place, by in found.items()}


def _backward_steps(facts: GraphFacts, derivatives: Mapping[int, Name]) -> tuple[Step, ...]:
    nodes, n_forward = facts.backwards.nodes, len(facts.graph.nodes)
    needed = ancestors(nodes, facts.backwards.outputs)
    places = [place for place in range(n_forward, len(nodes)) if needed[place] and nodes[place].is_operation]
    names: dict[int, Name] = {**facts.names, **derivatives}
    stem = "t"
    while any(name.startswith(stem) for name in facts.names.values()):
        stem += "'"
    temporary = (place for place in places if place not in names)
    names |= {place: f"{stem}{number + 1}" for number, place in enumerate(temporary)}
    both = _both(nodes, names)
    return tuple(Step(place, symbol(names[place]), both.own(place)) for place in places)


def _aliases(facts: GraphFacts, derivatives: Mapping[int, Name]) -> tuple[tuple[str, str], ...]:
    output = facts.names[facts.graph.output]
    pairs = []
    for place, signed in facts.backwards.along.items():
        name = symbol(Derivative(output, facts.names[place])).plain
        if signed.place in derivatives and not signed.negative and symbol(derivatives[signed.place]).plain != name:
            pairs.append((name, symbol(derivatives[signed.place]).plain))
    return tuple(pairs)
