"""For tests of graphs: random formulas, numbers that count what is done with them, and formulas run by torch."""

import ast
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from hypothesis import assume
from hypothesis import strategies as st

from heldout.anatomy.graphs.graph import Graph, UndefinedHere, values_of
from heldout.anatomy.graphs.operations import OPERATIONS
from heldout.anatomy.graphs.parsing import parse_graph

NAMES = ("a", "b", "w1", "x")
RATIONAL = ("+", "-", "*", "/")
SMOOTH = ("exp", "sigmoid", "tanh", "sin", "cos", "softplus", "log", "sqrt", "tan")
# So far from every pole, kink and overflow that finite differences can be trusted.
LARGEST = 50.0
NEAREST = 0.05


def texts(
    *,
    signs: tuple[str, ...] = RATIONAL,
    functions: tuple[str, ...] = (*SMOOTH, "relu", "abs"),
    max_leaves: int = 10,
    has_powers: bool = False,
) -> st.SearchStrategy[str]:
    """Formulas of a few names, numbers, the signs, squares and cubes, and the functions; powers of a base above 0."""
    leaves = st.sampled_from([*NAMES, *NAMES, "0.5", "2", "3"])

    def extended(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        kinds = [
            st.tuples(part, st.sampled_from(signs), part).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
            part.map(lambda each: f"(-{each})"),
            part.map(lambda each: f"({each})**2"),
        ]
        if functions:
            kinds.append(st.tuples(st.sampled_from(functions), part).map(lambda each: f"{each[0]}({each[1]})"))
            kinds.append(part.map(lambda each: f"({each})**3"))
        if has_powers:
            kinds.append(st.tuples(part, part).map(lambda each: f"(0.2 + ({each[0]})**2)**({each[1]})"))
        return st.one_of(kinds)

    has_name = re.compile(rf"\b({'|'.join(NAMES)})\b")
    return st.recursive(leaves, extended, max_leaves=max_leaves).filter(lambda text: bool(has_name.search(text)))


def points() -> st.SearchStrategy[dict[str, float]]:
    """A value for every name."""
    values = st.one_of(st.floats(-2, -0.1), st.floats(0.1, 2))
    return st.fixed_dictionaries({name: values.map(lambda each: round(each, 3)) for name in NAMES})


def calm(text: str, point: Mapping[str, float]) -> tuple[Graph, dict[str, float]]:
    """The graph and its point, where everything is defined, bounded and away from poles and kinks."""
    graph = parse_graph(text)
    here = {name: point[name] for name in graph.inputs}
    try:
        values = values_of(graph.nodes, here)
    except UndefinedHere:
        assume(False)
    assume(all(abs(value) <= LARGEST for value in values))
    for node in graph.nodes:
        operands = [values[operand] for operand in node.operands]
        if node.operation == "divide":
            assume(abs(operands[1]) >= NEAREST)
        elif node.operation in {"log", "sqrt", "relu", "abs"}:
            assume(abs(operands[0]) >= NEAREST)
        elif node.operation == "tan":
            assume(abs(math.cos(operands[0])) >= 4 * NEAREST)
    return graph, here


class Counting(float):
    """A number that tells a counter what is done with it."""

    done: Counter[str]

    def __new__(cls, value: float, done: Counter[str]) -> "Counting":
        number = super().__new__(cls, value)
        number.done = done
        return number

    def _make(self, kind: str, value: float) -> "Counting":
        self.done[kind] += 1
        return Counting(value, self.done)

    def __add__(self, other: float) -> "Counting":
        return self._make("additions", float(self) + float(other))

    def __radd__(self, other: float) -> "Counting":
        return self._make("additions", float(other) + float(self))

    def __sub__(self, other: float) -> "Counting":
        return self._make("subtractions", float(self) - float(other))

    def __rsub__(self, other: float) -> "Counting":
        return self._make("subtractions", float(other) - float(self))

    def __mul__(self, other: float) -> "Counting":
        return self._make("multiplications", float(self) * float(other))

    def __rmul__(self, other: float) -> "Counting":
        return self._make("multiplications", float(other) * float(self))

    def __truediv__(self, other: float) -> "Counting":
        return self._make("divisions", float(self) / float(other))

    def __rtruediv__(self, other: float) -> "Counting":
        return self._make("divisions", float(other) / float(self))

    def __pow__(self, other: float, modulus: None = None) -> "Counting":
        if other == 2:  # the rule of the house: a square is one multiplication
            return self._make("multiplications", float(self) * float(self))
        return self._make("powers", float(self) ** float(other))

    def __neg__(self) -> "Counting":
        return self._make("sign changes", -float(self))


def counting_functions(done: Counter[str]) -> dict[str, Callable[[float], Counting]]:
    """The functions of formulas and of their derivatives, for numbers that count."""

    def counted(name: str) -> Callable[[float], Counting]:
        operation = OPERATIONS[name]

        def function(value: float) -> Counting:
            done[operation.kind] += 1
            return Counting(float(operation.value(float(value))), done)

        return function

    names = [name for name, each in OPERATIONS.items() if each.is_function]
    return {name: counted(name) for name in [*names, "step", "sign"]}


class _Numbers(ast.NodeTransformer):
    """Makes numbers of a program count too: Python itself would work out what has no name in it."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return _number(node)  # a negative number, and no sign change
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return _number(node) if isinstance(node.value, int | float) else node


def _number(node: ast.expr) -> ast.Call:
    return ast.Call(ast.Name("number", ast.Load()), [node], [])


def run_counting(source: str, point: Mapping[str, float]) -> tuple[list[float], dict[str, int]]:
    """What a generated program returns, and the operations that it carried out by kind."""
    done: Counter[str] = Counter()
    functions = counting_functions(done) | {"number": lambda value: Counting(value, done)}
    function = compiled(ast.unparse(_Numbers().visit(ast.parse(source))), functions)
    returned = function(**{name: Counting(value, done) for name, value in point.items()})
    results = returned if isinstance(returned, tuple) else (returned,)
    return [float(each) for each in results], dict(done)


def run_torch(source: str, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """What a generated program returns for tensors."""
    names = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "relu", "abs")

    def of_numbers_too(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Any], torch.Tensor]:
        return lambda z: function(torch.as_tensor(z, dtype=torch.float64))

    functions = {name: of_numbers_too(getattr(torch, name)) for name in names}
    functions["softplus"] = of_numbers_too(lambda z: torch.logaddexp(z, torch.zeros_like(z)))
    result = compiled(source, functions)(**tensors)
    assert isinstance(result, torch.Tensor)
    return result


def compiled(source: str, functions: Mapping[str, Any]) -> Callable[..., Any]:
    """The function of a generated program."""
    space: dict[str, Any] = dict(functions)
    exec(source, space)
    function = space["function"]
    assert callable(function)
    return function  # type: ignore[no-any-return]
