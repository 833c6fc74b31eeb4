"""H402, H403 and H404: models that are not what their names say."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.tree import Script, argument, is_constant, last_name, receiver
from heldout.auditing.rule import Hit

_FRESH = re.compile(r"(?i)^(?:empty|scratch|untrained|random_?init|fresh|not_?pretrained)|_(?:scratch|untrained)$")
_PRETRAINED = re.compile(r"(?i)(?<!un)(?<!not_)(?<!non_)(?<!no_)(?<!is_)(?<!use_)pre_?trained")
_FACTORY = re.compile(r"^(?:get|make|build|create|load|init)_?(.+)$")
_GENERIC = frozenset({"model", "network", "resnet", "resnet18", "classifier"})
_STATE = re.compile(r"(?i)^(.{3,}?)_?(?:state_?dict|dict|state|weights|params|sd)$")
_ROLES = re.compile(
    r"(?i)ema|target|teacher|student|best|avg|swa|old|new|last|init|start|copy|momentum|key|model|net|final|local|global"
)


def find_called_fresh(script: Script) -> Iterator[Hit]:
    """Models that are called untrained, and are made by what gives pre-trained ones."""
    for name, call, node in _named_calls(script):
        if _FRESH.search(name) and (evidence := _gives_pretrained(script, call)):
            yield Hit(script.place(node), f"{name} is made by {evidence}, which gives pre-trained weights.")
    for call in script.calls:
        match call.args:
            case [ast.Constant(value=str(name)), *given] if _FRESH.search(name):
                inner = [each for each in given if isinstance(each, ast.Call)]
                evidence = next((each for call in inner if (each := _gives_pretrained(script, call))), "")
                if evidence:
                    observed = f"What is called {name!r} here is made by {evidence}, which gives pre-trained weights."
                    yield Hit(script.place(call), observed)


def _named_calls(script: Script) -> Iterator[tuple[str, ast.Call, ast.Assign]]:
    """Names that are given what a call makes."""
    for node in script.every(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                yield name, call, node


def _gives_pretrained(script: Script, call: ast.Call) -> str:
    """The call as it is written, where it gives pre-trained weights; empty where it does not."""
    name = last_name(call.func)
    given = argument(call, -1, "pretrained")
    weights = argument(call, -1, "weights")
    if is_constant(given, False) or is_constant(weights, None):
        return ""
    passed = [each for each in call.args if isinstance(each, ast.Name) and re.search(r"(?i)(?:^|_)weights$", each.id)]
    real = [each for each in passed if not is_constant(script.value(each), None)]
    by_name = _PRETRAINED.search(name) is not None and name != "from_pretrained" and not call.args
    by_word = is_constant(given, True) or (weights is not None and not isinstance(weights, ast.Name))
    return f"{ast.unparse(call)[:60]}" if by_name or by_word or real else ""


def find_unused_factory(script: Script) -> Iterator[Hit]:
    """Functions that make a variant and are never called, where a variable is named after it and made otherwise."""
    read = {each.id for each in script.every(ast.Name) if isinstance(each.ctx, ast.Load)}
    exported = {each.value for each in script.every(ast.Constant) if isinstance(each.value, str)}
    unused = [name for name in script.functions if name not in read and name not in exported and _FACTORY.match(name)]
    factories = {name for name in script.functions if _FACTORY.match(name)}
    made = [(name, call, node) for name, call, node in _named_calls(script) if last_name(call.func) in factories]
    counts = [last_name(call.func) for _, call, _ in made]
    for function in unused:
        words = [word for word in function.split("_")[1:] if word.lower() not in _GENERIC and len(word) > 3]
        for name, call, node in made:
            maker = last_name(call.func)
            word = next((word for word in words if word.lower() in name.lower() and word not in maker), "")
            if word and counts.count(maker) > 1:
                observed = f"{name} is made by {maker}(), as others are; {function}() is never called."
                yield Hit(script.place(node), observed, more=(script.place(script.functions[function][0]),))


def find_not_loaded(script: Script) -> Iterator[Hit]:
    """Models that are called pre-trained, and are made without weights that are never loaded."""
    loaded = {last_name(owner) for call in script.calls_of.get("load_state_dict", ()) if (owner := receiver(call))}
    for name, call, node in _named_calls(script):
        without = is_constant(argument(call, -1, "pretrained"), False) or is_constant(
            argument(call, -1, "weights"), None
        )
        given = any(
            isinstance(each, ast.Name) and each.id == name
            for other in script.calls
            if "load" in last_name(other.func)
            for each in other.args
        )
        if _PRETRAINED.search(name) and without and name not in loaded and not given:
            observed = f"{name} is made by {ast.unparse(call)[:60]}, and no weights are loaded into it."
            yield Hit(script.place(node), observed, severity="warning")


def find_other_state(script: Script) -> Iterator[Hit]:
    """State dicts that are called after one model, and are another's."""
    models = {last_name(owner) for call in script.calls_of.get("parameters", ()) if (owner := receiver(call))}
    for name, call, node in _named_calls(script):
        owner, stem = receiver(call), _STATE.match(name)
        if last_name(call.func) != "state_dict" or not isinstance(owner, ast.Name) or stem is None:
            continue
        word = stem[1].lower()
        meant = sorted(each for each in models if each.lower().startswith(word) and each != owner.id)
        loaded = any(
            name in {last_name(each) for each in use.args} for use in script.calls_of.get("load_state_dict", ())
        )
        if meant and word not in owner.id.lower() and not loaded and not _ROLES.search(word):
            observed = f"{name} is taken from {owner.id}, and there is a model called {meant[0]}."
            yield Hit(script.place(node), observed)


CHECKS = (
    ("H402", find_called_fresh),
    ("H402", find_unused_factory),
    ("H403", find_not_loaded),
    ("H404", find_other_state),
)
