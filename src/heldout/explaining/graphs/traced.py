"""A function of tensors, or a network, as a graph: what runs forwards, what runs backwards for it, drawn likewise."""

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heldout.anatomy.graphs.recording import BackwardOperation, TracedGraph, TracedNode
from heldout.anatomy.graphs.tracing import shape_words, trace_graph
from heldout.explaining.document import Explanation, Part, Section, Table, Text
from heldout.explaining.graphs.figure import MOST_BOXES, Box, Edge, graph_figure
from heldout.explaining.graphs.targets import inputs_of, target_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A longer table is told module by module; JSON has every operation.
_MOST_ROWS = 120
SOURCES = ("torch's own dispatcher and autograd, watched during one run forwards and backwards.",)


def explain_traced(given: Any, *, input: Any = None) -> Explanation[TracedGraph]:
    """The graph of a function or a network.

    Args:
        given: As `target_of` takes it.
        input: As `inputs_of` takes it.

    Raises:
        UsageError: It is not there, fails, or does not go with its inputs.
    """
    target = target_of(given)
    inputs = inputs_of(target, input)
    with redirect_stdout(sys.stderr):  # what the function prints is no answer of ours
        graph = trace_graph(target.function, inputs, name=target.name)
    rows = grouped(graph, _MOST_ROWS)
    sections = (
        Section("Result", tuple(_result(graph, target.notes))),
        Section("Operations" if rows is None else "Operations, module by module", (_table(graph, rows),)),
        Section("How often each operation runs", (_tally(graph),)),
    )
    return Explanation(
        title=f"The computation graph of {target.name}",
        facts=graph,
        sections=sections,
        record=_record(graph, inputs),
        sources=SOURCES,
        draw=lambda: _figure(graph),
    )


def _result(graph: TracedGraph, notes: Sequence[str]) -> list[Part]:
    outputs = ", ".join(f"{graph.nodes[place].name} {shape_words(graph.nodes[place].shape)}" for place in graph.outputs)
    inputs = ", ".join(f"{node.name} {shape_words(node.shape)}" for node in graph.nodes if node.operation == "input")
    words = f"From {inputs} to {outputs}: {_n(len(graph.operations), 'operation')} forward"
    if graph.has_backward:
        words += f", {graph.n_backward:,} backward"
        if graph.n_sums:
            words += f", {graph.n_sums:,} of them sums of gradients where a tensor is used several times"
    parts: list[Part] = [Text(words + ".")]
    parts += [Text(note) for note in dict.fromkeys((*notes, *graph.notes))]
    parts.append(
        Text(
            "An operation is one call of torch's on whole tensors; changes of shape alone are left out backwards. "
            "`heldout explain count` counts the arithmetic inside."
        )
    )
    return parts


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that ran one after another within one module.

    Attributes:
        name: The path of the module, or the name of a single node.
        nodes: Which, by their place.
    """

    name: str
    nodes: tuple[int, ...]


def grouped(graph: TracedGraph, most: int) -> list[Group] | None:
    """The nodes by module, as finely as `most` groups allow; None where there are no more nodes than that.

    Args:
        graph: Of a function or a network.
        most: How many groups there may be; one level of modules is the coarsest.
    """
    if len(graph.nodes) <= most:
        return None
    deepest = max(node.module.count(".") for node in graph.nodes) + 1
    for depth in range(deepest, 0, -1):
        groups = _groups_at(graph, depth)
        if len(groups) <= most:
            return groups
    return _groups_at(graph, 1)


def _groups_at(graph: TracedGraph, depth: int) -> list[Group]:
    groups: list[Group] = []
    last = ""
    for place, node in enumerate(graph.nodes):
        path = ".".join(node.module.split(".")[:depth])
        if path and path == last:
            groups[-1] = Group(path, (*groups[-1].nodes, place))
        else:
            groups.append(Group(path or node.name, (place,)))
        last = path
    return groups


def _table(graph: TracedGraph, groups: list[Group] | None) -> Table:
    if groups is not None:
        return _group_table(graph, groups)
    rows = tuple(
        (node.name, node.operation, _operands(graph, place), shape_words(node.shape), _backward_words(node.backward))
        for place, node in enumerate(graph.nodes)
    )
    return Table(("node", "operation", "of", "gives", "backward"), rows)


def _operands(graph: TracedGraph, place: int) -> str:
    names = ["above" if operand == place - 1 else graph.nodes[operand].name for operand in graph.nodes[place].operands]
    return ", ".join(names)


def _group_table(graph: TracedGraph, groups: list[Group]) -> Table:
    rows = tuple(
        (
            group.name,
            f"{_n_operations(graph, group):,}",
            shape_words(graph.nodes[group.nodes[-1]].shape),
            f"{sum(len(graph.nodes[place].backward) for place in group.nodes):,}",
        )
        for group in groups
    )
    return Table(("module", "forward", "gives", "backward"), rows, frozenset({1, 3}))


def _n_operations(graph: TracedGraph, group: Group) -> int:
    return sum(graph.nodes[place].operation != "input" for place in group.nodes)


def _tally(graph: TracedGraph) -> Table:
    forward = Counter(node.operation for node in graph.operations)
    backward = Counter(each.name for node in graph.nodes for each in node.backward)
    if graph.n_sums:
        backward["add (sums of gradients)"] += graph.n_sums
    rows = [(name, f"{forward[name]:,}", f"{backward[name]:,}") for name in sorted(forward | backward)]
    rows.append(("all", f"{forward.total():,}", f"{backward.total():,}"))
    return Table(("operation", "forward", "backward"), tuple(rows), frozenset({1, 2}), total=True)


def _backward_words(operations: Sequence[BackwardOperation]) -> str:
    """The operations in the order in which they run: `2 mm, sum`."""
    counts = Counter(each.name for each in operations)
    return ", ".join(name if n == 1 else f"{n} {name}" for name, n in counts.items())


def _figure(graph: TracedGraph) -> "Figure":
    groups = grouped(graph, MOST_BOXES) or [Group(node.name, (place,)) for place, node in enumerate(graph.nodes)]
    home = {place: index for index, group in enumerate(groups) for place in group.nodes}
    boxes = [_box(graph, group, is_output=bool(set(graph.outputs) & set(group.nodes))) for group in groups]
    pairs = {
        (home[operand], home[place]): None
        for place, node in enumerate(graph.nodes)
        for operand in node.operands
        if home[operand] != home[place]
    }
    notes = f"{_n(len(graph.operations), 'operation')} forward, {graph.n_backward:,} backward."
    key = ("shape of the result", "what runs backwards" if graph.has_backward else "")
    edges = [Edge(start, end) for start, end in pairs]
    return graph_figure(boxes, edges, title=graph.name, notes=notes, key=key, direction="down")


def _box(graph: TracedGraph, group: Group, *, is_output: bool) -> Box:
    first = graph.nodes[group.nodes[0]]
    last = graph.nodes[group.nodes[-1]]
    backward = [each for place in group.nodes for each in graph.nodes[place].backward]
    n = _n_operations(graph, group)
    if len(group.nodes) > 1:
        told = _n(len(backward), "operation") if backward else ""
        return Box(group.name, _n(n, "operation"), shape_words(last.shape), told, is_output=is_output)
    parameters = ", ".join(name.rpartition(".")[2] for name in first.parameters[:2])
    operation = first.operation + (f" ({parameters})" if parameters else "")
    return Box(
        group.name if first.operation == "input" or not first.module else first.module,
        "" if first.operation in {"input", group.name} and not parameters else operation,
        shape_words(first.shape),
        _backward_words(backward),
        is_parameter=first.operation == "input",
        is_operation=first.operation != "input",
        is_output=is_output,
    )


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _record(graph: TracedGraph, inputs: Any) -> dict[str, Any]:
    return {
        "kind": "traced",
        "name": graph.name,
        "inputs": {
            name: {"shape": list(tensor.shape), "dtype": str(tensor.dtype)[6:]} for name, tensor in inputs.items()
        },
        "outputs": [graph.nodes[place].name for place in graph.outputs],
        "n_forward": len(graph.operations),
        "n_backward": graph.n_backward,
        "n_sums": graph.n_sums,
        "nodes": [_node_record(graph, node) for node in graph.nodes],
        "notes": list(graph.notes),
    }


def _node_record(graph: TracedGraph, node: TracedNode) -> dict[str, Any]:
    return {
        "name": node.name,
        "operation": node.operation,
        "module": node.module,
        "operands": [graph.nodes[operand].name for operand in node.operands],
        "parameters": list(node.parameters),
        "shape": list(node.shape),
        "dtype": node.dtype,
        "backward": [{"operation": each.name, "shape": list(each.shape)} for each in node.backward],
    }
