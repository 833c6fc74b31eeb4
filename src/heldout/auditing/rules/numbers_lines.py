"""Divisions by a fixed number that stand in the user's own files, found in their syntax trees."""

import ast
import operator
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from heldout.auditing.seen.place import Place

_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
}
# A file that is larger than this was written by a program.
_MOST_BYTES = 2_000_000


@lru_cache(maxsize=64)
def divisions(file: str) -> tuple[tuple[Place, float, str], ...]:
    """Where a file divides by a number that it spells out: the line, the number, and how it is spelt.

    Empty where the file cannot be read any more, or holds no Python.
    """
    try:
        path = Path(file)
        tree = ast.parse(path.read_bytes()) if path.stat().st_size <= _MOST_BYTES else ast.Module([], [])
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ()
    names = _constants(tree)
    found = []
    for node in ast.walk(tree):
        divisor = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            divisor = node.right
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
            divisor = node.value
        if divisor is not None and (value := _folded(divisor, names)) is not None and value > 1:
            found.append((Place(file, divisor.lineno), value, ast.unparse(divisor)))
    return tuple(found)


def _constants(tree: ast.Module) -> dict[str, float]:
    """Numbers that the file binds to a name once, and to nothing else."""
    bound: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name, value in _pairs(target, node.value):
                    bound.setdefault(name, []).append(value)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.setdefault(node.id, [])
        elif isinstance(node, ast.arg):
            bound.setdefault(node.arg, []).append(None)
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign | ast.For | ast.comprehension):
            for part in ast.walk(node.target):
                if isinstance(part, ast.Name):
                    bound[part.id] = []
    _bind_settings(tree, bound)
    once = {name: values[0] for name, values in bound.items() if len(values) == 1 and values[0] is not None}
    found: dict[str, float] = {}
    for name, value in once.items():
        if (folded := _folded(value, found)) is not None:
            found[name] = folded
    return found


def _bind_settings(tree: ast.Module, bound: dict[str, list[ast.expr | None]]) -> None:
    """Settings in a class or a table: `.size` and `['size']`, where nothing else sets one of that name."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(body=body):
                for each in body:
                    if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                        bound.setdefault(f".{each.target.id}", []).append(each.value)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        bound.setdefault(f"[{key.value!r}]", []).append(value)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.keyword(arg=str(name)):
                bound.setdefault(f".{name}", []).append(None)
            case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Store()):
                bound.setdefault(f"[{name!r}]", []).append(None)


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return [pair for each in zip(target.elts, value.elts, strict=True) for pair in _pairs(*each)]
    return [(each.id, None) for each in ast.walk(target) if isinstance(each, ast.Name)]


def _folded(node: ast.expr, names: dict[str, float]) -> float | None:
    """The number that an expression comes to, where it is made of numbers and names of numbers alone."""
    if isinstance(node, ast.Constant):
        value = node.value
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return names.get(f".{node.attr}")
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return names.get(f"[{node.slice.value!r}]")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"float", "int"}:
        return _folded(node.args[0], names) if len(node.args) == 1 and not node.keywords else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _folded(node.left, names), _folded(node.right, names)
        if left is None or right is None or (right == 0 and not isinstance(node.op, ast.Add | ast.Sub | ast.Mult)):
            return None
        return _OPERATIONS[type(node.op)](left, right)
    return None
