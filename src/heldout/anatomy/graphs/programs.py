"""A graph as a Python function, line by line: what is counted can be read, and run."""

from collections.abc import Mapping, Sequence

from heldout.anatomy.graphs.graph import Node, ancestors

_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}


def as_python(nodes: Sequence[Node], results: Mapping[str, int], *, arguments: Sequence[str] = ()) -> str:
    """The source of a function of the inputs, one operation a line.

    It wants its functions (`exp`, `sigmoid`, ...; `step` and `sign` for the slopes of relu and abs) where it is run.

    Args:
        nodes: Of a graph or of its derivatives.
        results: What is returned: where each stands, by its name.
        arguments: The inputs in the order wanted; those left out follow.

    Example:
        >>> from heldout.anatomy.graphs.parsing import parse_graph
        >>> graph = parse_graph("(w*x - y)**2")
        >>> print(as_python(graph.nodes, {"L": graph.output}))
        def function(w, x, y):
            t1 = w * x
            t2 = t1 - y
            t3 = t2 * t2
            return t3
    """
    needed = ancestors(nodes, results.values())
    inputs = [node.name for node in nodes if node.operation == "input"]
    prefix = "t"
    while any(name.startswith(prefix) for name in inputs):
        prefix += "_"
    words: list[str] = []
    lines: list[str] = []
    for place, node in enumerate(nodes):
        if node.operation == "input":
            words.append(node.name)
        elif node.operation == "number":
            words.append(repr(node.number) if node.number >= 0 else f"({node.number!r})")
        elif needed[place]:
            words.append(f"{prefix}{len(lines) + 1}")
            lines.append(f"    {words[-1]} = {_line(node, words)}")
        else:
            words.append("")
    names = [*arguments, *(name for name in inputs if name not in arguments)]
    returned = ", ".join(words[place] for place in results.values())
    return "\n".join([f"def function({', '.join(names)}):", *lines, f"    return {returned}"])


def _line(node: Node, words: Sequence[str]) -> str:
    operands = [words[operand] for operand in node.operands]
    if node.operation in _SIGNS:
        return f"{operands[0]} {_SIGNS[node.operation]} {operands[1]}"
    if node.operation == "negate":
        return f"-{operands[0]}"
    if node.operation == "square":
        return f"{operands[0]} * {operands[0]}"
    return f"{node.operation}({operands[0]})"
