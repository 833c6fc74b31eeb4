"""H210 and H301: what is made of a model's answers."""

import ast
from collections.abc import Iterator

from heldout.auditing.reading.models import asked, is_model_class, last_layers, made_by
from heldout.auditing.reading.tree import Script, argument, dotted, is_constant, last_name, receiver
from heldout.auditing.rule import Hit

_SQUASHES = {"softmax": "softmax", "Softmax": "softmax", "sigmoid": "sigmoid", "Sigmoid": "sigmoid"}
_LOSSES = {
    "cross_entropy": "cross_entropy",
    "CrossEntropyLoss": "cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
}
_RAW = {"cross_entropy": "softmax", "binary_cross_entropy_with_logits": "sigmoid"}


def find_single(script: Script) -> Iterator[Hit]:
    """The highest of the answers of a model that gives one."""
    for call in (*script.calls_of.get("argmax", ()), *script.calls_of.get("max", ())):
        given = _over_classes(call)
        ends = _ends(script, given) if given is not None else None
        if ends and all(_has_one_output(end) for end in ends):
            observed = "The highest of one output is taken: the model ends with one, so that it is always output 0."
            yield Hit(script.place(call), observed)


def _over_classes(call: ast.Call) -> ast.expr | None:
    """Whose highest is taken over the classes of each sample."""
    owner = receiver(call)
    if owner is None:
        return None
    is_function = dotted(owner) in {"torch", "np", "numpy"}
    of = call.args[0] if is_function and call.args else owner
    place = 1 if is_function else 0
    dim = argument(call, place, "dim") or argument(call, -1, "axis")
    return of if is_constant(dim, 1) or _is_minus_one(dim) else None


def _is_minus_one(node: ast.expr | None) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and is_constant(node.operand, 1)


def _ends(script: Script, node: ast.expr) -> list[ast.expr] | None:
    """The calls that make the last layers of the model whose answers these are; None where it cannot be told."""
    value = _unwrapped(script.value(_unwrapped(node)))
    if not isinstance(value, ast.Call):
        return None
    models = made_by(script, asked(value))
    if not models:
        return None
    found: list[ast.expr] = []
    for model in models:
        ends = last_layers(script, model)
        if ends is None:
            return None
        found += ends
    return found


def _unwrapped(node: ast.expr) -> ast.expr:
    """An answer without what leaves its order as it is."""
    while isinstance(node, ast.Call) and last_name(node.func) in {"detach", "cpu", "float", "double"}:
        inner = receiver(node)
        if inner is None:
            break
        node = inner
    return node.value if isinstance(node, ast.Attribute) and node.attr == "data" else node


def _has_one_output(end: ast.expr) -> bool:
    return (
        isinstance(end, ast.Call)
        and last_name(end.func) == "Linear"
        and is_constant(argument(end, 1, "out_features"), 1)
    )


def find_squashed(script: Script) -> Iterator[Hit]:
    """Cross-entropies of what went through a softmax or a sigmoid, which they take themselves."""
    for call in script.calls:
        loss = _loss(script, call)
        given = argument(call, 0, "input") if loss else None
        if given is None:
            continue
        value = script.value(given)
        squash = _squash(value)
        if not squash:
            ends = _ends(script, given)
            kinds = {_squash(end) for end in ends} if ends else {""}
            squash = kinds.pop() if len(kinds) == 1 else ""
        if squash:
            observed = f"{loss} is given what a {squash} gives, and takes a {_RAW[loss]} itself."
            yield Hit(script.place(call), observed)


def _squash(node: ast.expr) -> str:
    return _SQUASHES.get(last_name(node.func), "") if isinstance(node, ast.Call) else ""


def _loss(script: Script, call: ast.Call) -> str:
    """Which loss a call computes; empty where it is none of those that want raw scores."""
    if last_name(call.func) in {"cross_entropy", "binary_cross_entropy_with_logits"}:
        return _LOSSES[last_name(call.func)] if "softmax" not in dotted(call.func) else ""
    made: list[ast.expr] | None
    if isinstance(call.func, ast.Attribute) and last_name(call.func.value) == "self":
        made = _attribute(script, call.func)
    else:
        made = [call.func] if isinstance(call.func, ast.Call) else None
        made = made_by(script, call.func) if isinstance(call.func, ast.Name) else made
    kinds = {_LOSSES.get(last_name(each.func), "") if isinstance(each, ast.Call) else "" for each in made or ()}
    return kinds.pop() if len(kinds) == 1 else ""


def _attribute(script: Script, node: ast.Attribute) -> list[ast.expr] | None:
    """What a class binds to an attribute of its own, where it does so once."""
    own = next((each for each in script.above(node) if isinstance(each, ast.ClassDef)), None)
    if own is None or not is_model_class(own):
        return None
    values = [
        each.value
        for each in ast.walk(own)
        if isinstance(each, ast.Assign) and any(dotted(target) == dotted(node) for target in each.targets)
    ]
    return values if len(values) == 1 else None


CHECKS = (("H210", find_squashed), ("H301", find_single))
