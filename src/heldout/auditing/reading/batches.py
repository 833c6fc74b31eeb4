"""H104: batches that are not those of the loop in which they are used."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.models import is_model_call
from heldout.auditing.reading.tree import Binding, Loop, Script, argument, is_constant, iterated, last_name
from heldout.auditing.rule import Hit

_LOADER = re.compile(r"(?i)(?:load|dl\b|_dl|data|iter|batches|set\b)")


def find_left_over(script: Script) -> Iterator[Hit]:
    """Models that are asked, in a loop over one loader, about a batch that a loop over another left behind."""
    for loop in script.every(ast.For):
        if not _is_loader(script, iterated(loop)):
            continue
        for call in (each for part in loop.body for each in ast.walk(part) if is_model_call(script, each)):
            assert isinstance(call, ast.Call)
            other = next((each for name in call.args if (each := _left_by(script, name, loop)) is not None), None)
            if other is not None and script.loops(call)[:1] == [loop]:
                here, there = _written(iterated(loop)), _written(iterated(other))
                observed = (
                    f"In a loop over {here} the model is asked about {_written(call.args[0])}, the last batch of "
                    f"the loop over {there} (line {script.place(other).line})."
                )
                yield Hit(script.place(call), observed, more=(script.place(other),))
                break


def _left_by(script: Script, node: ast.expr, loop: Loop) -> Loop | None:
    """The earlier loop over another loader whose variable this is, or is a part of."""
    for _ in range(3):
        name = _root(node)
        binding = script.binding(name) if name is not None else None
        if binding is None or loop is binding.at or loop in script.loops(binding.at):
            return None
        if isinstance(binding.at, ast.For):
            return binding.at if _is_another(script, binding.at, loop) else None
        if binding.source is None:
            return None
        node = binding.source
    return None


def _root(node: ast.expr) -> ast.Name | None:
    """The name that an expression begins with: `x` for `x.to(device)[0]`."""
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None


def _is_another(script: Script, other: ast.For, loop: Loop) -> bool:
    """Whether a loop over another loader had ended when this one began."""
    over, own = iterated(other), iterated(loop)
    ended = other not in script.loops(loop) and other is not loop
    return ended and _is_loader(script, over) and ast.dump(over or other) != ast.dump(own or loop)


def _is_loader(script: Script, node: ast.expr | None) -> bool:
    if node is None:
        return False
    value = script.value(node)
    made = isinstance(value, ast.Call) and last_name(value.func) == "DataLoader"
    return made or bool(_LOADER.search(last_name(node)))


def _written(node: ast.AST | None) -> str:
    return ast.unparse(node)[:40] if node is not None else "it"


def find_overwritten(script: Script) -> Iterator[Hit]:
    """Batches that are fetched, and whose names get other values before anything has read them."""
    for node in script.every(ast.Assign):
        if _fetches(node.value) and (after := _next(script, node)) is not None:
            yield from _overwritten(script, node.targets[0], node.value, after)
    for loop in script.every(ast.For):
        if _is_loader(script, over := iterated(loop)) and over is not None:
            target = loop.target
            counted = isinstance(loop.iter, ast.Call) and last_name(loop.iter.func) == "enumerate"
            if counted and isinstance(target, ast.Tuple) and len(target.elts) == 2:
                target = target.elts[1]
            yield from _overwritten(script, target, over, loop.body[0])


def _fetches(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and (last_name(node.func) == "next" or last_name(node.func) == "__next__")


def _next(script: Script, node: ast.stmt) -> ast.stmt | None:
    body = getattr(script.parent(node), "body", None)
    if not isinstance(body, list) or node not in body:
        return None
    at = body.index(node) + 1
    return body[at] if at < len(body) else None


def _overwritten(script: Script, target: ast.expr, fetched: ast.expr, after: ast.stmt) -> Iterator[Hit]:
    match after:
        case ast.Assign(targets=[new], value=ast.Name() | ast.Tuple() as value):
            names = {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
            read = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
            plain = all(isinstance(part, ast.Name) for part in parts)
            same = {each.id for each in ast.walk(new) if isinstance(each, ast.Name)} == names and _is_plain(new)
            if names and same and plain and read and not read & names and not names <= {"_"}:
                given = ", ".join(sorted(names))
                observed = (
                    f"{given} were fetched from {_written(fetched)} and become {_written(value)} before anything has "
                    "read them."
                )
                yield Hit(script.place(after), observed)


def _is_plain(target: ast.expr) -> bool:
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return all(isinstance(part, ast.Name) for part in parts)


def find_first_again(script: Script) -> Iterator[Hit]:
    """`next(iter(loader))` in a loop, which begins the loader anew each time."""
    for call in script.calls_of.get("next", ()):
        match call.args:
            case [ast.Call(func=ast.Name(id="iter"), args=[ast.Name() as loader])]:
                yield from _begun_anew(script, call, loader)
            case [] if isinstance(call.func, ast.Attribute):
                match call.func.value:
                    case ast.Call(func=ast.Name(id="iter"), args=[ast.Name() as loader]):
                        yield from _begun_anew(script, call, loader)


def _begun_anew(script: Script, call: ast.Call, loader: ast.Name) -> Iterator[Hit]:
    loops = script.loops(call)
    binding = script.binding(loader)
    if not loops or binding is None or _is_made_in(script, binding, loops[0]):
        return
    leaves = any(isinstance(each, ast.Break | ast.Return) for each in loops[0].body)
    made = binding.value
    if leaves or not (isinstance(made, ast.Call) and last_name(made.func) == "DataLoader"):
        return
    # A loader that shuffles gives another batch each time: wasteful, and right.
    shuffle = argument(made, 2, "shuffle")
    draws = any(each.arg in {"sampler", "batch_sampler", None} for each in made.keywords)
    if draws or (shuffle is not None and not is_constant(shuffle, False)):
        return
    # Once an epoch it is a look at one batch; in a loop of its own it stands for all of them.
    holds_loops = any(isinstance(each, ast.For | ast.While) for part in loops[0].body for each in ast.walk(part))
    observed = f"next(iter({loader.id})) gives the first batch each time: {loader.id} does not shuffle."
    yield Hit(script.place(call), observed, severity="note" if holds_loops else "warning")


def _is_made_in(script: Script, binding: Binding, loop: Loop) -> bool:
    return binding.at is loop or loop in script.loops(binding.at)


CHECKS = (("H104", find_left_over), ("H104", find_overwritten), ("H104", find_first_again))
