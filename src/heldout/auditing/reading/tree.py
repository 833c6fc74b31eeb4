"""A script as a syntax tree in which every name can be followed to where it was bound. Imports nothing but Python.

The cells of a notebook are one script: their statements stand one after the other, as they are run.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from heldout.auditing.seen.place import Place

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = Function | ast.Module
Loop = ast.For | ast.AsyncFor | ast.While
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True, slots=True)
class Binding:
    """One place at which a name gets a value.

    Attributes:
        name: The name.
        at: The statement, loop, `with` or comprehension that binds it.
        value: What it is bound to, where that is an expression of its own.
        source: The expression that it is unpacked from or that yields it, such as the iterable of a loop.
        order: Where in the script, in reading order.
    """

    name: str
    at: ast.AST
    value: ast.expr | None
    source: ast.expr | None
    order: int


@dataclass(frozen=True)
class Script:
    """A script, or all cells of a notebook.

    Attributes:
        pieces: What each file or cell is called, and its tree.
    """

    pieces: Sequence[tuple[str, ast.Module]]
    _parents: dict[ast.AST, ast.AST] = field(default_factory=dict, init=False, repr=False)
    _files: dict[ast.AST, str] = field(default_factory=dict, init=False, repr=False)
    _order: dict[ast.AST, int] = field(default_factory=dict, init=False, repr=False)
    _kinds: dict[type[ast.AST], list[ast.AST]] = field(default_factory=lambda: defaultdict(list), init=False)
    top: ast.Module = field(default_factory=lambda: ast.Module(body=[], type_ignores=[]), init=False, repr=False)

    def __post_init__(self) -> None:
        for file, tree in self.pieces:
            for statement in tree.body:
                self._parents[statement] = self.top
                self._add(statement, file)
            self.top.body.extend(tree.body)

    def _add(self, root: ast.AST, file: str) -> None:
        waiting = [root]
        while waiting:
            node = waiting.pop()
            self._files[node] = file
            self._order[node] = len(self._order)
            self._kinds[type(node)].append(node)
            for child in reversed(list(ast.iter_child_nodes(node))):
                # Contexts and operators are one object for the whole tree.
                if not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop | ast.unaryop):
                    self._parents[child] = node
                    waiting.append(child)

    def every(self, kind: type[_Node]) -> list[_Node]:
        """All nodes of a kind, in reading order."""
        return [node for node in self._kinds.get(kind, ()) if isinstance(node, kind)]

    def place(self, node: ast.AST) -> Place:
        """Where a node stands."""
        return Place(self._files.get(node, ""), getattr(node, "lineno", 0))

    def order(self, node: ast.AST) -> int:
        """Where a node stands in reading order."""
        return self._order.get(node, -1)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """What a node is a part of."""
        return self._parents.get(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node is a part of, the innermost first."""
        parent = self._parents.get(node)
        while parent is not None:
            yield parent
            parent = self._parents.get(parent)

    def scope(self, node: ast.AST) -> Scope:
        """The function in which a node is evaluated, or the whole script."""
        before = node
        for each in self.above(node):
            # Default values and decorators are evaluated outside of the function that they belong to.
            if isinstance(each, _SCOPES) and _is_inside(each, before):
                return each
            before = each
        return self.top

    def loops(self, node: ast.AST) -> list[Loop]:
        """The loops of the same function in whose body a node stands, the innermost first."""
        found: list[Loop] = []
        before = node
        for each in self.above(node):
            if isinstance(each, _SCOPES) and _is_inside(each, before):
                break
            if isinstance(each, _LOOPS) and before in each.body:
                found.append(each)
            before = each
        return found

    def statement(self, node: ast.AST) -> ast.AST:
        """The innermost statement that a node is a part of."""
        if isinstance(node, ast.stmt):
            return node
        return next((each for each in self.above(node) if isinstance(each, ast.stmt)), node)

    @cached_property
    def functions(self) -> dict[str, list[ast.FunctionDef]]:
        """The functions that stand in no class, by their names."""
        found: dict[str, list[ast.FunctionDef]] = defaultdict(list)
        for each in self.every(ast.FunctionDef):
            if not isinstance(self.parent(each), ast.ClassDef):
                found[each.name].append(each)
        return found

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes, by their names."""
        return {each.name: each for each in self.every(ast.ClassDef)}

    @cached_property
    def calls(self) -> list[ast.Call]:
        """All calls, in reading order."""
        return self.every(ast.Call)

    @cached_property
    def calls_of(self) -> dict[str, list[ast.Call]]:
        """All calls by the last part of what is called: `step` for `optimizer.step()`."""
        found: dict[str, list[ast.Call]] = defaultdict(list)
        for call in self.calls:
            found[last_name(call.func)].append(call)
        return found

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name, attribute and keyword in it, and what it imports."""
        names = {each.id for each in self.every(ast.Name)} | {each.attr for each in self.every(ast.Attribute)}
        keywords = {each.arg for each in self.every(ast.keyword) if each.arg}
        imported = {part for each in self.every(ast.alias) for part in each.name.split(".")}
        modules = {part for each in self.every(ast.ImportFrom) if each.module for part in each.module.split(".")}
        return frozenset(names | keywords | imported | modules | set(self.functions))

    @cached_property
    def _bindings(self) -> dict[tuple[Scope, str], list[Binding]]:
        found: dict[tuple[Scope, str], list[Binding]] = defaultdict(list)
        for node in self._order:
            for target, value, source in _bound_by(node):
                for name, own in _names_in(target, value):
                    scope = self.scope(node)
                    order = self.order(node)
                    found[scope, name].append(Binding(name, node, own, source, order))
        return found

    def bindings(self, scope: Scope, name: str) -> list[Binding]:
        """Where a name of a function, or of the whole script, is bound, in reading order."""
        return self._bindings.get((scope, name), [])

    def home(self, name: ast.Name) -> Scope | None:
        """The scope whose name this is; None for a builtin or an imported name."""
        scope: Scope = self.scope(name)
        if self._is_of_comprehension(name):
            return None
        while True:
            if self.bindings(scope, name.id) or (not isinstance(scope, ast.Module) and name.id in parameters_of(scope)):
                return scope
            if isinstance(scope, ast.Module):
                return None
            scope = self.scope(scope)

    def binding(self, name: ast.Name) -> Binding | None:
        """The last binding above a name in its own function; or the only one of the whole script."""
        home = self.home(name)
        if home is None:
            return None
        bound = self.bindings(home, name.id)
        if home is not self.scope(name):
            return bound[0] if len(bound) == 1 else None
        inside = self.statement(name)
        for each in reversed([each for each in bound if each.order < self.order(name) and each.at is not inside]):
            certain = self._always_before(each.at, name)
            if certain is not None:
                return each if certain else None
        return None

    def _is_of_comprehension(self, name: ast.Name) -> bool:
        """Whether a name is bound by a comprehension around it."""
        around = (each for each in self.above(name) if isinstance(each, _COMPREHENSIONS))
        targets = (part.target for each in around for part in each.generators)
        return any(isinstance(each, ast.Name) and each.id == name.id for t in targets for each in ast.walk(t))

    def _always_before(self, bound: ast.AST, use: ast.AST) -> bool | None:
        """Whether a use always comes after a binding: False where a branch may be left out, None in another branch."""
        above_use = {each: before for before, each in self._steps_up(use)}
        for before, branching in self._steps_up(bound):
            if isinstance(branching, ast.If | ast.Try | ast.Match):
                if branching not in above_use:
                    return False
                if _part_with(branching, before) != _part_with(branching, above_use[branching]):
                    return None
        return True

    def _steps_up(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        before = node
        for each in self.above(node):
            yield before, each
            before = each

    def value(self, node: ast.expr) -> ast.expr:
        """An expression, or what its name was bound to last, followed to the end."""
        for _ in range(8):
            if not isinstance(node, ast.Name):
                break
            binding = self.binding(node)
            if binding is None or binding.value is None:
                break
            node = binding.value
        return node

    def loads(self, scope: Scope, name: str) -> list[ast.Name]:
        """Where a name of a scope is read."""
        return [
            each
            for each in self._named.get(name, ())
            if isinstance(each.ctx, ast.Load) and self.home(each) in {scope, None}
        ]

    @cached_property
    def _named(self) -> dict[str, list[ast.Name]]:
        found: dict[str, list[ast.Name]] = defaultdict(list)
        for each in self.every(ast.Name):
            found[each.id].append(each)
        return found


def _part_with(node: ast.AST, child: ast.AST) -> str:
    """The name of the part of a node in which a child of it stands: `body`, `orelse`."""
    return next((name for name, part in ast.iter_fields(node) if isinstance(part, list) and child in part), "")


def _is_inside(scope: ast.AST, child: ast.AST) -> bool:
    body = getattr(scope, "body", ())
    return child is body or (isinstance(body, list) and child in body)


def _bound_by(node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr | None, ast.expr | None]]:
    """What a node binds: the target, its value where there is one, and what it comes out of."""
    match node:
        case ast.Assign():
            for target in node.targets:
                yield target, node.value, node.value
        case ast.AnnAssign(value=ast.expr()) | ast.NamedExpr():
            yield node.target, node.value, node.value
        case ast.AugAssign():
            yield node.target, None, None
        case ast.For() | ast.AsyncFor():
            yield node.target, None, node.iter
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    yield item.optional_vars, None, item.context_expr


def _names_in(target: ast.AST, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    match target:
        case ast.Name():
            yield target.id, value
        case ast.Tuple() | ast.List():
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            fits = len(values) == len(target.elts) and not any(isinstance(each, ast.Starred) for each in target.elts)
            for number, part in enumerate(target.elts):
                yield from _names_in(part, values[number] if fits else None)
        case ast.Starred():
            yield from _names_in(target.value, None)


def parameters_of(function: Function) -> list[str]:
    """The names of a function's parameters, those that may be given by their place first."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [each.arg for each in (*every, *(each for each in (given.vararg, given.kwarg) if each is not None))]


def last_name(node: ast.AST) -> str:
    """The last part of a name: `softmax` for `F.softmax`; empty for what has none."""
    match node:
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
    return ""


def dotted(node: ast.AST) -> str:
    """A name as it is written: `torch.optim.SGD`; empty where it is none."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def receiver(call: ast.Call) -> ast.expr | None:
    """What a method is called on; None for a function."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def names_read(node: ast.AST) -> set[str]:
    """The names that are read in a node."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def calls_in(node: ast.AST, *names: str) -> list[ast.Call]:
    """The calls in a node, of functions and methods of these names."""
    return [each for each in ast.walk(node) if isinstance(each, ast.Call) and last_name(each.func) in names]


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """What a call gives at a place or by a name; None where it gives nothing."""
    by_name = next((each.value for each in call.keywords if each.arg == name), None)
    if by_name is not None or place < 0:
        return by_name
    return call.args[place] if place < len(call.args) and not any(map(_is_starred, call.args[: place + 1])) else None


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def is_constant(node: ast.AST | None, value: object) -> bool:
    """Whether a node is this very constant."""
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value


def iterated(loop: ast.AST) -> ast.expr | None:
    """What a loop goes over, taken out of `enumerate`, `tqdm` and the like; None for `while`."""
    if not isinstance(loop, ast.For | ast.AsyncFor):
        return None
    node = loop.iter
    while isinstance(node, ast.Call) and last_name(node.func) in {"enumerate", "tqdm", "trange", "track", "islice"}:
        if not node.args:
            return node
        node = node.args[0]
    return node
