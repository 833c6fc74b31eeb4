"""A second opinion on what can be shared: the derivatives as algebra, and sympy's common-subexpression elimination.

Sympy may regroup products and sums, which reverse mode does not: it multiplies in the order of the path. The functions
stay closed to it, so that no identity is used that holds for some numbers only.
"""

from collections.abc import Mapping
from typing import Any

from heldout.anatomy.graphs.arithmetic import Signed, divided, number, plus, times, whole
from heldout.anatomy.graphs.costs import Tally, tally
from heldout.anatomy.graphs.gradients import Derivatives
from heldout.anatomy.graphs.graph import Node, Tape

# Beyond it sympy takes seconds.
MAX_NODES = 250


def regrouped(derivatives: Derivatives) -> tuple[tuple[Node, ...], tuple[int, ...]] | None:
    """The nodes and outputs of a graph that computes the same after sympy's elimination; None for a large one.

    Args:
        derivatives: Of which all outputs are computed together.
    """
    if len(derivatives.nodes) > MAX_NODES:
        return None
    import sympy
    from sympy.core.parameters import distribute

    with distribute(False):  # 2*(a + b) stays as it is: otherwise it would cost one product more
        algebra = _as_algebra(derivatives.nodes, sympy)
        steps, results = sympy.cse([algebra[place] for place in derivatives.outputs])
    tape = Tape()
    known: dict[Any, Signed] = {}
    for symbol, expression in steps:
        known[symbol] = _placed(tape, expression, known, sympy)
    outputs = tuple(whole(tape, _placed(tape, result, known, sympy)) for result in results)
    return tuple(tape.nodes), outputs


def cost_regrouped(derivatives: Derivatives) -> Tally | None:
    """What the value and its derivatives cost after sympy's elimination."""
    found = regrouped(derivatives)
    return None if found is None else tally(*found)


def _as_algebra(nodes: tuple[Node, ...], sympy: Any) -> list[Any]:
    """Every node as an expression of the inputs."""
    algebra: list[Any] = []
    for node in nodes:
        operands = [algebra[operand] for operand in node.operands]
        match node.operation:
            case "input":
                # A prefix, so that an input never meets a name that cse gives.
                algebra.append(sympy.Symbol(f"input_{node.name}"))
            case "number":
                algebra.append(sympy.Rational(repr(node.number)))
            case "add":
                algebra.append(operands[0] + operands[1])
            case "subtract":
                algebra.append(operands[0] - operands[1])
            case "multiply":
                algebra.append(operands[0] * operands[1])
            case "divide":
                algebra.append(operands[0] / operands[1])
            case "negate":
                algebra.append(-operands[0])
            case "square":
                algebra.append(operands[0] ** 2)
            # Sympy would compute a power of two numbers to its last digit, of which there may be billions.
            case "power" if not all(each.is_Number for each in operands):
                algebra.append(operands[0] ** operands[1])
            case function:
                algebra.append(sympy.Function(function)(*operands))
    return algebra


def _placed(tape: Tape, expression: Any, known: Mapping[Any, Signed], sympy: Any) -> Signed:
    """An expression as operations. It is as deep as what cse leaves, which is little."""
    if expression in known:
        return known[expression]
    if expression.is_Number:
        return _number(tape, expression)
    if expression.is_Symbol:
        return Signed(tape.input(expression.name.removeprefix("input_")))
    if expression.is_Add:
        return _sum(tape, [_placed(tape, each, known, sympy) for each in expression.args])
    if expression.is_Mul:
        return _product(tape, expression, known, sympy)
    if expression.is_Pow:
        return _power(tape, expression, known, sympy)
    operands = [whole(tape, _placed(tape, each, known, sympy)) for each in expression.args]
    return Signed(tape.apply(type(expression).__name__, *operands))


def _number(tape: Tape, expression: Any) -> Signed:
    return number(tape, int(expression) if expression.is_Integer else float(expression))


def _sum(tape: Tape, terms: list[Signed]) -> Signed:
    # What is added comes first, so that what is subtracted needs no sign.
    first, *others = sorted(terms, key=lambda term: term.negative)
    for term in others:
        first = plus(tape, first, term)
    return first


def _product(tape: Tape, expression: Any, known: Mapping[Any, Signed], sympy: Any) -> Signed:
    above, below = number(tape, 1), number(tape, 1)
    for factor in expression.args:
        is_below = factor.is_Pow and factor.exp.is_Number and factor.exp.is_negative
        placed = _placed(tape, 1 / factor if is_below else factor, known, sympy)
        if is_below:
            below = times(tape, below, placed)
        else:
            above = times(tape, above, placed)
    return divided(tape, above, below)


def _power(tape: Tape, expression: Any, known: Mapping[Any, Signed], sympy: Any) -> Signed:
    base, exponent = expression.args
    placed = _placed(tape, base, known, sympy)
    if exponent == -1:
        return divided(tape, number(tape, 1), placed)
    if exponent == 2:
        return Signed(tape.apply("square", placed.place))
    return Signed(tape.apply("power", whole(tape, placed), whole(tape, _placed(tape, exponent, known, sympy))))
