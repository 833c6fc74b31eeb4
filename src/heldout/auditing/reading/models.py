"""What a script's own text says about its models: what is one, where it is made, and what it ends with."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.tree import (
    Function,
    Script,
    argument,
    dotted,
    last_name,
    parameters_of,
    receiver,
)

# Names that people give to models, and to parts of them.
MODEL = re.compile(r"(?i)(?:^|_)(?:\w*model|\w*net|network|classifier|backbone|student|teacher|clf|cnn|mlp)\d*$")
_PARTS = re.compile(r"^(?:fc\d*|features|classifier|layer\d+|backbone|encoder|decoder|head|conv\d*|bn\d*|body|stem)$")
_FACTORIES = re.compile(r"^(?:torchvision\.models|models|tv\.models|nn|torch\.nn)\.(?!Parameter|init|functional)\w+$")
_MOVES = frozenset(
    {"to", "cuda", "cpu", "double", "half", "float", "train", "eval", "compile", "DataParallel", "apply"}
)
# What changes the shape of an answer and not its meaning.
RESHAPES = frozenset({"squeeze", "view", "reshape", "flatten", "float", "double", "contiguous", "to", "clone"})
_DEEPEST = 6


def is_module(script: Script, node: ast.expr) -> bool:
    """Whether an expression is a module with near certainty: neither a parameter nor anything else."""
    if isinstance(node, ast.Attribute):
        root = dotted(node).partition(".")[0]
        return bool(_PARTS.match(node.attr)) and (root == "self" or bool(MODEL.search(root)))
    if not isinstance(node, ast.Name):
        return False
    binding = script.binding(node)
    if binding is not None and binding.value is None and binding.source is not None:
        return _is_part_of_loop(binding.source, node.id, binding.at)
    value = script.value(node)
    if isinstance(value, ast.Call):
        return makes_module(script, value)
    return isinstance(value, ast.Name) and binding is None and node.id in {"model", "net", "network", "backbone"}


def _is_part_of_loop(source: ast.expr, name: str, loop: ast.AST) -> bool:
    method = last_name(source.func) if isinstance(source, ast.Call) else ""
    if method in {"named_children", "named_modules"} and isinstance(loop, ast.For):
        return isinstance(loop.target, ast.Tuple) and last_name(loop.target.elts[-1]) == name
    return method in {"children", "modules"}


def makes_module(script: Script, call: ast.Call) -> bool:
    """Whether a call makes a module: a layer, a known factory, or a class of the script that is one."""
    name = dotted(call.func)
    if last_name(call.func) in _MOVES and (inner := receiver(call)) is not None and isinstance(inner, ast.Call):
        return makes_module(script, inner)
    known = script.classes.get(name)
    return bool(_FACTORIES.match(name)) or name == "timm.create_model" or (known is not None and is_model_class(known))


def is_model_class(node: ast.ClassDef) -> bool:
    """Whether a class says that it is a module."""
    return any(last_name(base) in {"Module", "Sequential", "LightningModule"} for base in node.bases)


def is_model_call(script: Script, node: ast.AST) -> bool:
    """Whether a node is a model asked for an answer, by what it is made of or by what people call a model."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr == "forward":
        called = called.value
    if isinstance(called, ast.Name):
        if called.id in script.functions or called.id in script.classes:
            return False
        value = script.value(called)
        return bool(MODEL.search(called.id)) or (isinstance(value, ast.Call) and makes_module(script, value))
    return isinstance(called, ast.Attribute) and last_name(called.value) == "self" and bool(MODEL.search(called.attr))


def asked(call: ast.Call) -> ast.expr:
    """The model of a call of it."""
    is_forward = isinstance(call.func, ast.Attribute) and call.func.attr == "forward"
    return call.func.value if is_forward and isinstance(call.func, ast.Attribute) else call.func


def made_by(script: Script, node: ast.expr, depth: int = 0) -> list[ast.expr] | None:
    """The calls that can have made a value: through names, parameters, and what the script's functions give back.

    Args:
        script: Where it stands.
        node: The value.
        depth: How many steps have been taken.

    Returns:
        Every expression that it can come from, none where only a circle leads to it; None where one cannot be told.
    """
    if depth > _DEEPEST:
        return []
    if isinstance(node, ast.Name):
        return _made_by_name(script, node, depth)
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    inner = receiver(node)
    if name in _MOVES and inner is not None:
        source = node.args[0] if name in {"compile", "DataParallel"} and node.args else inner
        return made_by(script, source, depth)
    if name == "deepcopy" and node.args:
        return made_by(script, node.args[0], depth)
    defined = script.functions.get(name, []) if isinstance(node.func, ast.Name) else []
    if len(defined) == 1:
        return _joined(script, _returned(script, defined[0]), depth)
    return [node]


def _made_by_name(script: Script, node: ast.Name, depth: int) -> list[ast.expr] | None:
    binding = script.binding(node)
    if binding is not None:
        value = binding.value
        # A tuple that a function gives back is told apart by its place.
        if value is None and isinstance(binding.at, ast.Assign) and isinstance(binding.source, ast.Call):
            return _unpacked(script, node.id, binding.at, depth)
        return made_by(script, value, depth + 1) if value is not None else None
    home = script.home(node)
    if home is None or isinstance(home, ast.Module | ast.Lambda) or node.id not in parameters_of(home):
        return None
    given = list(_given(script, home, node.id))
    return _joined(script, given, depth) if given else None


def _unpacked(script: Script, name: str, at: ast.Assign, depth: int) -> list[ast.expr] | None:
    target, call = at.targets[0], at.value
    defined = script.functions.get(last_name(call.func), []) if isinstance(call, ast.Call) else []
    if not isinstance(target, ast.Tuple) or len(defined) != 1:
        return None
    place = [last_name(each) for each in target.elts].index(name) if name in map(last_name, target.elts) else -1
    parts = [
        each.elts[place]
        for each in _returned(script, defined[0])
        if isinstance(each, ast.Tuple) and len(each.elts) == len(target.elts)
    ]
    return _joined(script, parts, depth) if parts and place >= 0 else None


def _joined(script: Script, nodes: list[ast.expr], depth: int) -> list[ast.expr] | None:
    found: list[ast.expr] = []
    for node in nodes:
        made = made_by(script, node, depth + 1)
        if made is None:
            return None
        found += made
    return found


def _returned(script: Script, function: ast.FunctionDef) -> list[ast.expr]:
    returns = (each for each in ast.walk(function) if isinstance(each, ast.Return) and each.value is not None)
    return [each.value for each in returns if each.value is not None and script.scope(each) is function]


def _given(script: Script, function: Function, name: str) -> Iterator[ast.expr]:
    """What the calls of a function give for a parameter."""
    if isinstance(function, ast.Lambda):
        return
    place = parameters_of(function).index(name)
    for call in script.calls_of.get(function.name, ()):
        if isinstance(call.func, ast.Name) and (given := argument(call, place, name)) is not None:
            yield given


def last_layers(script: Script, made: ast.expr) -> list[ast.expr] | None:
    """The calls that make what a model ends with, such as `nn.Linear(8, 1)`; None where it cannot be told."""
    if not isinstance(made, ast.Call):
        return None
    name = last_name(made.func)
    if name == "Sequential" and not any(isinstance(each, ast.Starred) for each in made.args):
        return last_layers(script, made.args[-1]) if made.args else None
    own = script.classes.get(name)
    if own is None:
        return [made]
    return _ends_of_class(script, own) if is_model_class(own) else None


def _replaced_parts(script: Script) -> set[str]:
    """Parts of models that are replaced from outside: `model.fc = ...`."""
    targets = (target for each in script.every(ast.Assign) for target in each.targets)
    return {each.attr for each in targets if isinstance(each, ast.Attribute) and last_name(each.value) != "self"}


def _parts_of(own: ast.ClassDef) -> dict[str, ast.expr]:
    """What a class binds to `self`, where it does so once."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(own):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = list(zip(targets, values, strict=False))
            case ast.Assign(targets=targets):
                pairs = [(target, node.value) for target in targets]
            case _:
                pairs = []
        for target, value in pairs:
            if isinstance(target, ast.Attribute) and last_name(target.value) == "self":
                found.setdefault(target.attr, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _ends_of_class(script: Script, own: ast.ClassDef) -> list[ast.expr] | None:
    forward = next((each for each in own.body if isinstance(each, ast.FunctionDef) and each.name == "forward"), None)
    if forward is None:
        return None
    parts = _parts_of(own)
    found: list[ast.expr] = []
    for value in _returned(script, forward):
        end = _end_of_value(script, value, parts)
        if end is None:
            return None
        found += end
    return found or None


def _end_of_value(script: Script, node: ast.expr, parts: dict[str, ast.expr]) -> list[ast.expr] | None:
    node = script.value(node)
    while isinstance(node, ast.Call) and last_name(node.func) in RESHAPES:
        inner = receiver(node)
        node = script.value(node.args[0] if inner is None or dotted(inner) == "torch" else inner)
    if not isinstance(node, ast.Call):
        return None
    owner = receiver(node)
    if owner is None or last_name(owner) != "self":
        return [node]
    part = last_name(node.func)
    return last_layers(script, parts[part]) if part in parts and part not in _replaced_parts(script) else None
