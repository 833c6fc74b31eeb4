"""H111: tables of classes that give the same names other numbers."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from heldout.auditing.reading.tree import Script, last_name
from heldout.auditing.rule import Hit

_LEAST = 2


@dataclass(frozen=True, slots=True)
class _Table:
    """A literal that gives names numbers, or numbers names.

    Attributes:
        name: The variable.
        node: The literal.
        numbers: The number of each name.
        is_list: Whether it does so by their order alone.
    """

    name: str
    node: ast.expr
    numbers: dict[str, int]
    is_list: bool


def find_other_numbers(script: Script) -> Iterator[Hit]:
    """Tables of the same names with other numbers, each of which is used to name numbers."""
    tables = [each for each in _tables(script) if _is_used_as_table(script, each) and not _is_looked_up(script, each)]
    for number, later in enumerate(tables):
        for first in tables[:number]:
            if set(first.numbers) != set(later.numbers) or first.numbers == later.numbers:
                continue
            if _are_translated(script, first, later):
                continue
            name = next(each for each in first.numbers if first.numbers[each] != later.numbers[each])
            observed = (
                f"{later.name} gives {name!r} the number {later.numbers[name]}, and {first.name} (line "
                f"{script.place(first.node).line}) the number {first.numbers[name]}."
            )
            yield Hit(script.place(later.node), observed, severity="warning", more=(script.place(first.node),))
            break


def _tables(script: Script) -> Iterator[_Table]:
    for node in script.every(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() | ast.Tuple() | ast.Dict() as value):
                numbers = _numbers(value)
                if len(numbers) >= _LEAST:
                    yield _Table(name, value, numbers, not isinstance(value, ast.Dict))


def _numbers(value: ast.expr) -> dict[str, int]:
    """The number of each name; nothing where the literal is no table of them."""
    if isinstance(value, ast.Dict):
        pairs = [
            (key.value, each.value)
            for key, each in zip(value.keys, value.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(each, ast.Constant)
        ]
        named = [(str(one), other) if isinstance(one, str) else (str(other), one) for one, other in pairs]
        kinds = {(type(one), type(other)) for one, other in pairs}
        if len(pairs) != len(value.keys) or kinds not in ({(str, int)}, {(int, str)}):
            return {}
        found = {name: int(number) for name, number in named if isinstance(number, int)}
        return found if sorted(found.values()) == list(range(len(found))) else {}
    elements = value.elts if isinstance(value, ast.List | ast.Tuple) else []
    names = [each.value for each in elements if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return {name: number for number, name in enumerate(names)} if len(set(names)) == len(elements) else {}


def _is_used_as_table(script: Script, table: _Table) -> bool:
    """Whether a variable names numbers: it is asked at a number that is computed, or for the number of a name."""
    if not table.is_list:
        return True
    for use in _uses(script, table):
        match script.parent(use):
            case ast.Subscript(value=value, slice=index) if value is use:
                # One at a fixed place, or some of them, is a choice of names.
                if not isinstance(index, ast.Constant | ast.Slice):
                    return True
            case ast.Attribute(attr="index"):
                return True
            case ast.Call(func=ast.Name(id="enumerate")):
                return True
    return False


def _uses(script: Script, table: _Table) -> list[ast.Name]:
    """Where a table is read."""
    scope = script.scope(table.node)
    named = (each for each in script.every(ast.Name) if each.id == table.name and isinstance(each.ctx, ast.Load))
    return [each for each in named if script.home(each) is scope]


def _is_looked_up(script: Script, table: _Table) -> bool:
    """Whether the names that a table gives are looked up in another: numbers go by way of names, and agree."""
    for use in _uses(script, table):
        before: ast.AST = use
        for each in script.above(use):
            if isinstance(each, ast.stmt):
                break
            into = isinstance(each, ast.Subscript) and each.slice is before
            asked = isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and before in each.args
            if into or (asked and isinstance(each, ast.Call) and last_name(each.func) in {"index", "get"}):
                return True
            before = each
    return False


def _are_translated(script: Script, one: _Table, other: _Table) -> bool:
    """Whether a statement reads both: one is turned into the other."""
    first, second = ({script.statement(use) for use in _uses(script, each)} for each in (one, other))
    return any(not isinstance(each, ast.For | ast.With | ast.If) for each in first & second)


CHECKS = (("H111", find_other_numbers),)
