"""What is chosen where nothing is said: the names of intermediate results, the parameters, the point."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import cycle

from heldout.anatomy.graphs.graph import Graph, Node, UndefinedHere, uses, values_of
from heldout.anatomy.graphs.operations import OPERATIONS
from heldout.errors import UsageError, nearest

_ACTIVATIONS = frozenset({"sigmoid", "tanh", "relu", "softplus"})
_WEIGHT = re.compile(r"w(?:eight)?_?\d*|theta_?\d*|θ\d*", re.IGNORECASE)
_BIAS = re.compile(r"b(?:ias)?_?\d*", re.IGNORECASE)
# Small, unlike each other, above 0, so that logarithms and roots are defined; the others where they are not.
_VALUES = (0.5, 1.5, 0.8, 1.2, 0.6, 1.4, 0.7, 1.3, 0.9, 1.1)
_SCALES = (1.0, 3.0, -1.0, 0.2, 10.0, -5.0)


def parameters_of(graph: Graph, wanted: str | Sequence[str] | None = None) -> tuple[str, ...]:
    """The inputs by which the graph is differentiated.

    Where nothing is said these are the weights and biases (`w`, `w1`, `weight2`, `theta`, and beside them `b`, `b1`,
    `bias`), or all inputs where none is called so.

    Args:
        graph: Of which the inputs are.
        wanted: Their names; a text has commas between them.

    Raises:
        UsageError: A name is not an input of the graph, or is named twice.

    Example:
        >>> from heldout.anatomy.graphs.parsing import parse_graph
        >>> parameters_of(parse_graph("w*x + b")), parameters_of(parse_graph("a*b"))
        (('w', 'b'), ('a', 'b'))
    """
    inputs = in_order(graph)
    if wanted is None:
        weights = [name for name in inputs if _WEIGHT.fullmatch(name)]
        if not weights:
            return tuple(inputs)
        return tuple(weights + [name for name in inputs if _BIAS.fullmatch(name)])
    names = [name.strip() for name in (wanted.split(",") if isinstance(wanted, str) else wanted)]
    for name in names:
        if name not in graph.inputs:
            raise _unknown("--wrt", name, graph)
    if len(set(names)) < len(names):
        raise UsageError(f"--wrt is {','.join(names)!r}", expected="every name once", fix="leave the second out")
    return tuple(names)


def point_of(graph: Graph, given: str | Mapping[str, float] | None = None) -> dict[str, float]:
    """The value of every input.

    Args:
        graph: Of which the inputs are.
        given: Such as `w=0.5,x=2`, or a dictionary. Without it one is chosen, where the graph is defined if it can be.

    Raises:
        UsageError: A name is missing, unknown or given twice, or a value is no finite number.

    Example:
        >>> from heldout.anatomy.graphs.parsing import parse_graph
        >>> point_of(parse_graph("w*x"), "x = 2, w=-.5")
        {'w': -0.5, 'x': 2.0}
    """
    if given is None:
        return _chosen(graph)
    pairs = _pairs(given) if isinstance(given, str) else [(str(name), value) for name, value in given.items()]
    values: dict[str, float] = {}
    for name, value in pairs:
        if name not in graph.inputs:
            raise _unknown("--at", name, graph)
        if name in values:
            raise UsageError(f"--at gives {name} twice", expected="every name once", fix="leave one out")
        values[name] = _finite(name, value)
    missing = [name for name in graph.inputs if name not in values]
    if missing:
        raise UsageError(
            f"--at has no value for {', '.join(missing)}",
            expected=f"a value for each of {', '.join(graph.inputs)}",
            fix=f"add {','.join(f'{name}=1' for name in missing)}",
        )
    return {name: values[name] for name in in_order(graph)}


def in_order(graph: Graph) -> list[str]:
    """The inputs as a reader looks for them: w2 after w1 and before w10."""
    return sorted(
        graph.inputs, key=lambda name: [int(each) if each.isdecimal() else each for each in re.split(r"(\d+)", name)]
    )


def _unknown(option: str, name: str, graph: Graph) -> UsageError:
    return UsageError(
        f"{option} names {name!r}, which is no input of the expression{nearest(name, graph.inputs)}",
        expected=f"names among {', '.join(graph.inputs)}",
        fix="leave it out, or use it in the expression",
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        name, sign, value = part.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise UsageError(
                f"--at is {text!r}", expected="NAME=NUMBER, with commas between them", fix="write it such as w1=0.5,x=2"
            )
        pairs.append((name.strip(), value.strip()))
    return pairs


def _finite(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise UsageError(
            f"--at gives {name} the value {value!r}", expected="a finite number", fix=f"write it such as {name}=0.5"
        )
    return number


def _chosen(graph: Graph) -> dict[str, float]:
    for scale in _SCALES:
        point = {name: round(scale * value, 10) for name, value in zip(in_order(graph), cycle(_VALUES), strict=False)}
        try:
            values = values_of(graph.nodes, point)
        except UndefinedHere:
            continue
        if not any(_kinks(node, values) for node in graph.nodes):
            return point
    # The one who computes the values says where it fails.
    return dict(zip(in_order(graph), cycle(_VALUES), strict=False))


def _kinks(node: Node, values: Sequence[float]) -> bool:
    return node.is_operation and OPERATIONS[node.operation].kinks_at_zero and values[node.operands[0]] == 0


def kinks_at(graph: Graph, values: Sequence[float]) -> list[int]:
    """The nodes that have no derivative at a point because a relu or an absolute value has its kink there."""
    return [place for place, node in enumerate(graph.nodes) if _kinks(node, values)]


def names_of(graph: Graph, parameters: Sequence[str]) -> dict[int, str]:
    """A name for every place but the numbers.

    What the text names keeps its name. Of the others, what goes into an activation is z, what comes out of it u, a
    prediction from which a target is subtracted phi, the result L, all else v1, v2, ...

    Args:
        graph: Its nodes are named.
        parameters: The inputs that are no data.
    """
    names = {place: name for name, place in graph.inputs.items()}
    names |= graph.names
    taken = set(names.values())
    wishes = _traditional(graph, parameters)
    for wish in ("z", "u", "phi"):
        places = [place for place, name in wishes.items() if name == wish and place not in names]
        if len(places) == 1 and wish not in taken:
            names[places[0]] = wish
        else:
            names |= zip(places, _numbered(wish, taken), strict=False)
        taken |= set(names.values())
    if graph.output not in names:
        names[graph.output] = next(name for name in ("L", "f", "result", *_some("L")) if name not in taken)
        taken.add(names[graph.output])
    others = [place for place in graph.operations if place not in names]
    names |= zip(others, _numbered("v", taken), strict=False)
    return dict(sorted(names.items()))


def _traditional(graph: Graph, parameters: Sequence[str]) -> dict[int, str]:
    nodes = graph.nodes
    wishes: dict[int, str] = {}
    for place, node in enumerate(nodes):
        if node.operation in _ACTIVATIONS and place != graph.output:
            wishes.setdefault(place, "u")
            if nodes[node.operands[0]].is_operation:
                wishes.setdefault(node.operands[0], "z")
        if node.operation in {"square", "abs"} and nodes[node.operands[0]].operation == "subtract":
            for one, other in (nodes[node.operands[0]].operands, nodes[node.operands[0]].operands[::-1]):
                is_target = nodes[other].operation == "input" and nodes[other].name not in parameters
                if is_target and nodes[one].is_operation:
                    wishes.setdefault(one, "phi")
    return wishes


def _some(stem: str) -> list[str]:
    return [f"{stem}{number}" for number in range(1, 1000)]


def _numbered(stem: str, taken: set[str]) -> list[str]:
    return [name for name in _some(stem) if name not in taken]


def named_in_formulas(graph: Graph, names: Mapping[int, str]) -> dict[int, str]:
    """The names by which formulas call what they are made of.

    A sum, difference or product that is used once and that nobody has named is written out where it is used.
    """
    n_uses = uses(graph.nodes)
    return {
        place: name
        for place, name in names.items()
        if not re.fullmatch(r"v\d+", name)
        or place in graph.names
        or n_uses[place] > 1
        or graph.nodes[place].operation not in {"add", "subtract", "multiply"}
    }
