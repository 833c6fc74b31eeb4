"""A computation graph: inputs, numbers and elementary operations, each in one place however often it is written.

The nodes stand in an order in which every node comes after its operands, so that one pass from the first to the last
computes all values, and one pass back all derivatives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from heldout.anatomy.graphs.operations import OPERATIONS, Number, handy

# Their order does not change the value, not even its last digit.
_COMMUTATIVE = frozenset({"add", "multiply"})


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a graph.

    Attributes:
        operation: `input`, `number`, or the name of an operation.
        operands: Where its operands stand.
        name: Of an input.
        number: Of a number.
    """

    operation: str
    operands: tuple[int, ...] = ()
    name: str = ""
    number: Number = 0

    @property
    def is_operation(self) -> bool:
        """Whether something is computed here."""
        return self.operation in OPERATIONS


class Tape:
    """A growing graph: what was written once is found again, and not computed twice.

    Args:
        nodes: What it begins with.
    """

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self.nodes: list[Node] = []
        self._places: dict[tuple[object, ...], int] = {}
        for node in nodes:
            self._place(node)

    def input(self, name: str) -> int:
        """The place of a name."""
        return self._place(Node("input", name=name))

    def number(self, number: Number) -> int:
        """The place of a number."""
        return self._place(Node("number", number=handy(number)))

    def apply(self, operation: str, *operands: int) -> int:
        """The place of an operation on what stands at these places."""
        return self._place(Node(operation, operands))

    def _place(self, node: Node) -> int:
        operands = tuple(sorted(node.operands)) if node.operation in _COMMUTATIVE else node.operands
        key = (node.operation, operands, node.name, float(node.number))
        if key not in self._places:
            self._places[key] = len(self.nodes)
            self.nodes.append(node)
        return self._places[key]


@dataclass(frozen=True, slots=True)
class Graph:
    """What a text says, as a graph.

    Attributes:
        text: As it was read.
        nodes: In an order in which each comes after its operands.
        output: Where the result stands.
        names: What the text itself calls its intermediate results, by place.
        remarks: How the text was read where it could have been meant otherwise.
    """

    text: str
    nodes: tuple[Node, ...]
    output: int
    names: Mapping[int, str]
    remarks: tuple[str, ...] = ()

    @property
    def inputs(self) -> dict[str, int]:
        """Where each input stands, in the order in which they are met."""
        return {node.name: place for place, node in enumerate(self.nodes) if node.operation == "input"}

    @property
    def operations(self) -> list[int]:
        """Where something is computed."""
        return [place for place, node in enumerate(self.nodes) if node.is_operation]


def dependents(nodes: Sequence[Node], places: Iterable[int]) -> list[bool]:
    """Of each node whether it depends on one of these places, itself included."""
    wanted = set(places)
    found: list[bool] = []
    for place, node in enumerate(nodes):
        found.append(place in wanted or any(found[operand] for operand in node.operands))
    return found


def ancestors(nodes: Sequence[Node], places: Iterable[int]) -> list[bool]:
    """Of each node whether one of these places needs it, themselves included."""
    found = [False] * len(nodes)
    for place in places:
        found[place] = True
    for place in range(len(nodes) - 1, -1, -1):
        if found[place]:
            for operand in nodes[place].operands:
                found[operand] = True
    return found


def uses(nodes: Sequence[Node]) -> list[int]:
    """How often each node is an operand."""
    counts = [0] * len(nodes)
    for node in nodes:
        for operand in node.operands:
            counts[operand] += 1
    return counts


def values_of(nodes: Sequence[Node], point: Mapping[str, float]) -> list[float]:
    """The value of every node.

    Args:
        nodes: Of a graph.
        point: The value of every input.

    Raises:
        UndefinedHere: A node has no finite value at this point.
    """
    values: list[float] = []
    for place, node in enumerate(nodes):
        if node.operation == "input":
            values.append(float(point[node.name]))
        elif node.operation == "number":
            values.append(_finite(place, float(node.number), []))
        else:
            values.append(_computed(place, node.operation, [values[operand] for operand in node.operands]))
    return values


class UndefinedHere(ArithmeticError):
    """A node has no finite value at a point.

    Args:
        place: Of the node.
        reason: Why, as the end of a sentence.
        operands: The values of its operands.
    """

    def __init__(self, place: int, reason: str, operands: Sequence[float]) -> None:
        super().__init__(f"node {place}: {reason}")
        self.place, self.reason, self.operands = place, reason, tuple(operands)


def _computed(place: int, operation: str, operands: list[float]) -> float:
    try:
        value = float(OPERATIONS[operation].value(*operands))
    except OverflowError:
        raise UndefinedHere(place, "the result is too large for a double", operands) from None
    except ZeroDivisionError:
        raise UndefinedHere(place, "that divides by zero", operands) from None
    except ValueError:
        raise UndefinedHere(place, _outside(operation), operands) from None
    return _finite(place, value, operands)


def _finite(place: int, value: float, operands: list[float]) -> float:
    if not isfinite(value):
        raise UndefinedHere(place, "the result is too large for a double", operands)
    return value


def _outside(operation: str) -> str:
    allowed = {"log": "numbers above 0", "sqrt": "numbers from 0 on", "power": "a base above 0 or a whole exponent"}
    return f"{operation} is defined for {allowed.get(operation, 'other numbers')} only"
