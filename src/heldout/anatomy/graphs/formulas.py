"""The nodes of a graph as formulas: each by the names of others, or by the inputs alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.anatomy.graphs.graph import Node
from heldout.anatomy.graphs.notation import PLAIN, Notation
from heldout.anatomy.graphs.products import Product, added, divided, multiplied, negated, raised, single, written

# A longer formula is not written out: products of sums would grow without end.
LONGEST = 600
ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class Derivative:
    """The name of a derivative: dL/dw."""

    of: str
    by: str


Name = str | Derivative


@dataclass(frozen=True, slots=True)
class Writing:
    """The nodes of a graph as formulas.

    Attributes:
        own: What each is made of.
        seen: What others call it: its name, or what it is made of.
    """

    own: tuple[Product, ...]
    seen: tuple[Product, ...]


def write(
    nodes: Sequence[Node],
    names: Mapping[int, Name],
    notation: Notation,
    *,
    when_long: Mapping[int, Name] | None = None,
    longest: int = LONGEST,
) -> Writing:
    """Every node as a formula.

    Args:
        nodes: Of a graph or of its derivatives.
        names: What others call these nodes by, wherever they are used.
        notation: How it is written.
        when_long: What others call these nodes by when their own formula is longer than `longest` on a terminal.
        longest: In characters.
    """
    own: list[Product] = []
    seen: list[Product] = []
    # What is long is judged by the terminal's notation, so that all notations tell the same.
    judged: Sequence[Product] = own
    if notation is not PLAIN:
        judged = write(nodes, names, PLAIN, when_long=when_long, longest=longest).own
    for place, node in enumerate(nodes):
        own.append(_own(node, seen, notation))
        length = len(written(judged[place], PLAIN))
        if place in names:
            seen.append(single(named(names[place], notation)))
        elif length > longest and when_long and place in when_long:
            seen.append(single(named(when_long[place], notation)))
        else:
            seen.append(own[place] if length <= LONGEST else single(ELLIPSIS))
    return Writing(tuple(own), tuple(seen))


def named(name: Name, notation: Notation) -> str:
    """A name as it is written."""
    return notation.derivative(name.of, name.by) if isinstance(name, Derivative) else notation.name(name)


def _own(node: Node, seen: Sequence[Product], notation: Notation) -> Product:
    operands = [seen[operand] for operand in node.operands]
    match node.operation:
        case "input":
            return single(notation.name(node.name))
        case "number":
            return Product(number=node.number)
        case "add" | "subtract":
            return added(operands[0], operands[1], notation, minus=node.operation == "subtract")
        case "multiply":
            return multiplied(operands[0], operands[1])
        case "divide":
            return divided(operands[0], operands[1])
        case "negate":
            return negated(operands[0])
        case "square":
            return raised(operands[0], 2, notation)
        case "power":
            return _power(operands[0], operands[1], notation)
    return single(notation.call(node.operation, written(operands[0], notation)))


def _power(base: Product, exponent: Product, notation: Notation) -> Product:
    n = exponent.number
    if exponent.is_number and isinstance(n, int) and n > 0:
        return raised(base, n, notation)
    text = written(base, notation)
    is_plain = base.is_one and not base.is_sum and not base.above[0].is_tall and base.above[0].exponent == 1
    is_number = base.is_number and base.number >= 0
    shown = written(exponent, notation)
    is_short = (exponent.is_one and not exponent.is_sum) or (exponent.is_number and n >= 0)
    return single(
        notation.power(
            text if is_plain or is_number else notation.bracket(text),
            shown if is_short or notation.has_bars else notation.bracket(shown),
        ),
        is_tall=True,
    )
