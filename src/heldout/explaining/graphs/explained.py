"""`heldout explain graph`: a formula or a network as a computation graph, forwards, backwards, and what it costs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heldout.anatomy.graphs.facts import GraphFacts, explain_expression, words_of
from heldout.anatomy.graphs.formulas import Derivative
from heldout.anatomy.graphs.notation import short
from heldout.anatomy.graphs.programs import as_python
from heldout.errors import UsageError
from heldout.explaining.document import Cell, Explanation, Formula, Part, Section, Table, Text
from heldout.explaining.graphs.costs import cost_record, cost_sections, cost_words
from heldout.explaining.graphs.formulas import GraphFormulas, equation, formulas_of, symbol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCES = (
    "Baur & Strassen, The complexity of partial derivatives, Theoretical Computer Science 22 (1983).",
    "Griewank & Walther, Evaluating Derivatives, 2nd ed. (2008), chapters 3 and 4.",
)
# Beyond so many operations the backward pass is told node by node only.
_MOST_STEPS = 40
_MOST_NAMED, _MOST_ALIASES = 12, 6
_LONGEST_TITLE = 72


def explain_graph(
    target: str | Any,
    *,
    at: str | Mapping[str, float] | None = None,
    wrt: str | Sequence[str] | None = None,
    input: Any = None,
) -> Explanation[Any]:
    """The computation graph of a formula, of a Python function of tensors, or of a network.

    Args:
        target: A formula such as `(w2*sigmoid(w1*x) - y)**2`; `FILE.py:NAME` or `package.module:NAME`; or the function
            or module itself.
        at: Of a formula: the value of every input, such as `w1=0.5,w2=-1` or a dictionary.
        wrt: Of a formula: the inputs by which it is differentiated, such as `w1,w2`.
        input: Of a function: the shapes of its tensors, such as `3x4`, or the tensors. Of a network: the shape of one
            example, without the batch axis.

    Raises:
        UsageError: What was given cannot be meant.

    Example:
        >>> explanation = explain_graph("(w*x - y)**2", at="w=1,x=2,y=5")
        >>> explanation.record["gradient"]
        {'w': -12.0}
    """
    from heldout.explaining.graphs.targets import is_program

    if isinstance(target, str) and not is_program(target):
        if input:
            raise UsageError(
                f"--input was given, but {target!r} is a formula",
                expected="shapes for a function or a network; a point for a formula",
                fix="write --at, or FILE.py:NAME",
            )
        return _explained(explain_expression(target, at=at, wrt=wrt))
    if at is not None or wrt is not None:
        name = "at" if at is not None else "wrt"
        raise UsageError(
            f"--{name} was given, but {target if isinstance(target, str) else 'a function or a network'} is no formula",
            expected="a point and parameters for a formula alone; shapes for a function or a network",
            fix="leave it out",
        )
    from heldout.explaining.graphs.traced import explain_traced

    return explain_traced(target, input=input)


def _explained(facts: GraphFacts) -> Explanation[GraphFacts]:
    formulas = formulas_of(facts)
    sections = (
        Section("Result", _result(facts, formulas)),
        Section("Forward pass", (_forward_table(facts, formulas),)),
        Section("Backward pass", _backward(facts, formulas)),
        *cost_sections(facts, formulas),
    )
    return Explanation(
        title=_title(facts.graph.text),
        facts=facts,
        sections=sections,
        record=_record(facts, formulas),
        sources=SOURCES,
        draw=lambda: _figure(facts),
    )


def _title(text: str) -> str:
    words = text.replace("\n", "; ")
    return f"The computation graph of {words if len(words) <= _LONGEST_TITLE else words[: _LONGEST_TITLE - 3] + '...'}"


def _figure(facts: GraphFacts) -> "Figure":
    from heldout.explaining.graphs.boxes import expression_figure

    return expression_figure(facts)


def _result(facts: GraphFacts, formulas: GraphFormulas) -> tuple[Part, ...]:
    output = facts.names[facts.graph.output]
    point = ", ".join(f"{name} = {short(value)}" for name, value in facts.point.items())
    chosen = " (a point chosen for you; --at gives another)" if facts.point_is_chosen else ""
    parts: list[Part] = [Text(f"At {point}{chosen}: {output} = {short(facts.value)}.")]
    parts += [Text(remark) for remark in facts.graph.remarks]
    if facts.parameters_are_chosen and set(facts.parameters) != set(facts.point):
        parts.append(Text(f"Differentiated by {', '.join(facts.parameters)}, called like weights; --wrt names others."))
    parts.append(_gradient_table(facts, formulas))
    named = [place for place in formulas.named if place in facts.graph.operations]
    if 1 < len(named) <= _MOST_NAMED:
        parts.append(Text("where"))
        parts += [equation(symbol(facts.names[place]), formulas.named[place]) for place in named]
    parts += [Text(_kink(facts, formulas, place)) for place in facts.kinks]
    parts.append(Text(cost_words(facts)))
    return tuple(parts)


def _gradient_table(facts: GraphFacts, formulas: GraphFormulas) -> Table:
    output, inputs = facts.names[facts.graph.output], facts.graph.inputs
    rows = []
    for name in facts.parameters:
        place = inputs[name]
        central = facts.central[name]
        rows.append(
            (
                symbol(Derivative(output, name)),
                formulas.derivatives.get(place, "0"),
                _number(facts.gradient[name]),
                "not defined" if central is None else _number(central),
            )
        )
    return Table(("derivative", "in symbols", "value", "central difference"), tuple(rows), frozenset({2, 3}))


def _kink(facts: GraphFacts, formulas: GraphFormulas, place: int) -> str:
    return (
        f"{facts.names[place]} = {formulas.named.get(place, formulas.steps[place]).plain} has its kink here: it has no "
        "derivative at 0. The slope 0 is used, a subgradient, as torch does; the central difference may show another."
    )


def _forward_table(facts: GraphFacts, formulas: GraphFormulas) -> Table:
    graph = facts.graph
    rows: list[tuple[Cell, ...]] = []
    for name, value in facts.point.items():
        kind = "parameter" if name in facts.parameters else "data"
        rows.append((symbol(name), kind, "", _number(value)))
    for place in graph.operations:
        operation = words_of(graph.nodes[place].operation)
        rows.append((symbol(facts.names[place]), operation, formulas.steps[place], _number(facts.values[place])))
    return Table(("node", "operation", "formula", "value"), tuple(rows), frozenset({3}))


def _backward(facts: GraphFacts, formulas: GraphFormulas) -> tuple[Part, ...]:
    output = facts.names[facts.graph.output]
    rows: list[tuple[Cell, ...]] = []
    for place in _backwards_order(facts):
        rows.append(
            (
                symbol(facts.names[place]),
                _local(facts, formulas, place),
                formulas.derivatives[place],
                _number(facts.adjoint(place)),
            )
        )
    table = Table(("node", "slope by its operands", f"d{output}/dnode", "value"), tuple(rows), frozenset({3}))
    parts: list[Part] = [
        Text(
            f"From {output} back: the derivative by a node is the sum, over the nodes that use it, of their derivative "
            "times their slope."
        ),
        table,
    ]
    if 0 < len(formulas.backward) <= _MOST_STEPS:
        parts.append(
            Text(f"Operation by operation; what the forward pass has computed is used again{_free(formulas)}:")
        )
        parts.append(_step_table(facts, formulas))
    return tuple(parts)


def _backwards_order(facts: GraphFacts) -> list[int]:
    """The operations from the last to the first, then the inputs."""
    inputs = [facts.graph.inputs[name] for name in facts.parameters]
    along = facts.backwards.along
    return [place for place in reversed(facts.graph.operations) if place in along] + [
        place for place in inputs if place in along
    ]


def _local(facts: GraphFacts, formulas: GraphFormulas, place: int) -> Cell:
    slopes = [
        equation(symbol(Derivative(facts.names[place], facts.names[operand])), formulas.local[place, operand])
        for operand in dict.fromkeys(facts.graph.nodes[place].operands)
        if (place, operand) in formulas.local
    ]
    if not slopes:
        return ""
    return Formula(", ".join(each.plain for each in slopes), r" ,\; ".join(each.latex for each in slopes))


def _free(formulas: GraphFormulas) -> str:
    if not formulas.aliases:
        return ""
    pairs = [f"{one} = {other}" for one, other in formulas.aliases]
    if len(pairs) > _MOST_ALIASES:
        pairs = [*pairs[:_MOST_ALIASES], f"{len(pairs) - _MOST_ALIASES} more"]
    told = ", ".join(pairs[:-1]) + (" and " if pairs[1:] else "") + pairs[-1]
    return f", and {told} cost{'s' if len(pairs) == 1 else ''} nothing"


def _step_table(facts: GraphFacts, formulas: GraphFormulas) -> Table:
    rows = tuple(
        (
            f"{number + 1}",
            words_of(facts.backwards.nodes[step.place].operation),
            equation(step.name, step.formula),
            _number(facts.values[step.place]),
        )
        for number, step in enumerate(formulas.backward)
    )
    return Table(("", "operation", "formula", "value"), rows, frozenset({0, 3}))


def _number(value: float) -> str:
    return short(value)


def _record(facts: GraphFacts, formulas: GraphFormulas) -> dict[str, Any]:
    graph = facts.graph
    results = {facts.names[graph.output]: graph.output, **facts.backwards.gradients}
    return {
        "kind": "expression",
        "expression": graph.text,
        "point": dict(facts.point),
        "point_is_chosen": facts.point_is_chosen,
        "parameters": list(facts.parameters),
        "value": facts.value,
        "gradient": facts.gradient,
        "central_difference": dict(facts.central),
        "formulas": {
            name: _both(formulas.derivatives[graph.inputs[name]])
            for name in facts.parameters
            if graph.inputs[name] in formulas.derivatives
        },
        "written_out": {name: _both(formula) for name, formula in formulas.alone.items()},
        "nodes": [_node_record(facts, formulas, place) for place in facts.names],
        "kinks": [facts.names[place] for place in facts.kinks],
        "operations": cost_record(facts),
        "program": as_python(facts.backwards.nodes, results, arguments=list(facts.point)),
        "growth": [
            {
                "n_parameters": each.n_parameters,
                "forward": each.forward,
                "reverse_mode": each.reverse,
                "forward_mode_vectorised": each.vectorised,
                "written_out": each.written_out,
            }
            for each in facts.growth
        ],
    }


def _both(formula: Formula) -> dict[str, str]:
    return {"plain": formula.plain, "latex": formula.latex}


def _node_record(facts: GraphFacts, formulas: GraphFormulas, place: int) -> dict[str, Any]:
    node = facts.graph.nodes[place]
    record: dict[str, Any] = {
        "name": facts.names[place],
        "operation": node.operation,
        "operands": [facts.names.get(operand, facts.graph.nodes[operand].number) for operand in node.operands],
        "value": facts.values[place],
    }
    if place in formulas.steps:
        record["formula"] = formulas.steps[place].plain
    if place in facts.backwards.along:
        record["derivative"] = facts.adjoint(place)
        record["derivative_formula"] = formulas.derivatives[place].plain
    slopes = {
        facts.names[operand]: facts.local.value(place, operand)
        for operand in node.operands
        if (place, operand) in facts.local.places
    }
    if slopes:
        record["slopes"] = slopes
    return record
