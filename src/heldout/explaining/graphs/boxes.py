"""The boxes and edges that a formula's graph is drawn with."""

from typing import TYPE_CHECKING

from heldout.anatomy.graphs.facts import GraphFacts
from heldout.anatomy.graphs.notation import DRAWN
from heldout.explaining.graphs.figure import Box, Edge, graph_figure
from heldout.explaining.graphs.formulas import drawn_formulas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST_FORMULA, _LONGEST_SLOPE = 30, 16


def expression_figure(facts: GraphFacts) -> "Figure":
    """The graph of a formula: formula, value and derivative in each box, slopes on the edges.

    Args:
        facts: Of a graph that is small enough to be drawn.

    Raises:
        UsageError: It has too many nodes.
    """
    boxes, edges = _boxes(facts)
    costs = facts.costs
    ratio = f": {costs.ratio:.1f} times the value" if costs.forward.total else ""
    notes = (
        f"{costs.forward.total:,} operations forward, {costs.backward.total:,} more backward{ratio}. "
        f"Written out in the inputs, the same takes {costs.written_out.total:,}."
    )
    output = DRAWN.name(facts.names[facts.graph.output])
    key = (
        "value, computed to the right",
        f"derivative of {output} by the node, computed to the left",
        "slope, on the edges",
    )
    return graph_figure(boxes, edges, title=facts.graph.text.replace("\n", "; "), notes=notes, key=key)


def _boxes(facts: GraphFacts) -> tuple[list[Box], list[Edge]]:
    formulas, slopes = drawn_formulas(facts)
    graph = facts.graph
    at = {place: index for index, place in enumerate(facts.names)}
    boxes = [
        Box(
            name=DRAWN.name(name),
            words=f"= {_cut(_minus(formulas[place]))}" if place in formulas else "",
            value=_number(facts.values[place]),
            derivative=_number(facts.adjoint(place)) if place in facts.backwards.along else "",
            is_parameter=name in facts.parameters and place in graph.inputs.values(),
            is_operation=graph.nodes[place].is_operation,
            is_output=place == graph.output,
        )
        for place, name in facts.names.items()
    ]
    edges = []
    for place in graph.operations:
        for operand in dict.fromkeys(graph.nodes[place].operands):
            if operand in at:
                slope = _minus(slopes.get((place, operand), ""))
                if len(slope) > _LONGEST_SLOPE:
                    slope = _number(facts.local.value(place, operand))
                edges.append(Edge(at[operand], at[place], slope, is_muted=(place, operand) not in slopes))
    return boxes, edges


def _number(value: float) -> str:
    return _minus(f"{value:.4g}")


def _minus(words: str) -> str:
    return words.replace("-", "−")


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST_FORMULA else words[: _LONGEST_FORMULA - 1] + "…"
