"""H402: one model where several are meant: in a default argument, in a list that is repeated, for two names."""

import ast
from collections.abc import Iterator

from heldout.auditing.reading.models import makes_module
from heldout.auditing.reading.training import makes_optimiser
from heldout.auditing.reading.tree import Script, dotted, last_name, names_read
from heldout.auditing.rule import Hit

# Modules without weights, which may be shared as one likes.
_WEIGHTLESS = ("Loss", "ReLU", "GELU", "SiLU", "Tanh", "Sigmoid", "Softmax", "Dropout", "Identity", "Flatten", "Pool")


def find_default_model(script: Script) -> Iterator[Hit]:
    """Parameters whose default is a model: it is made once, however often the function is called without it."""
    for function in script.every(ast.FunctionDef):
        own = next((each for each in script.above(function) if isinstance(each, ast.ClassDef)), None)
        is_init = own is not None and function.name == "__init__"
        if own is not None and not is_init:
            continue
        uses = script.calls_of.get(own.name if own is not None else function.name, [])
        for place, name, default in _defaults(function, skip=int(is_init)):
            if not _has_weights(script, default):
                continue
            without = [each for each in uses if not _is_given(each, place, name)]
            if len(without) > 1:
                observed = (
                    f"{ast.unparse(default)[:60]} is made once, when {function.name}() is defined: the "
                    f"{len(without)} calls that give no {name} share its weights."
                )
                yield Hit(script.place(default), observed, more=tuple(script.place(each) for each in without[:3]))


def _defaults(function: ast.FunctionDef, *, skip: int) -> Iterator[tuple[int, str, ast.expr]]:
    """The place, the name and the default of each parameter that has one; place -1 of those by keyword alone."""
    given = [*function.args.posonlyargs, *function.args.args]
    first = len(given) - len(function.args.defaults)
    for number, default in enumerate(function.args.defaults, first):
        yield number - skip, given[number].arg, default
    for named, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if value is not None:
            yield -1, named.arg, value


def _is_given(call: ast.Call, place: int, name: str) -> bool:
    is_open = any(isinstance(each, ast.Starred) for each in call.args) or any(
        each.arg is None for each in call.keywords
    )
    return is_open or 0 <= place < len(call.args) or any(each.arg == name for each in call.keywords)


def _has_weights(script: Script, node: ast.expr) -> bool:
    """Whether an expression makes a module that can hold weights."""
    if not isinstance(node, ast.Call) or not makes_module(script, node):
        return False
    name = last_name(node.func)
    if name in {"Sequential", "ModuleList"}:
        return any(_has_weights(script, each) for each in node.args)
    return not any(word in name for word in _WEIGHTLESS)


def find_repeated(script: Script) -> Iterator[Hit]:
    """Lists of models that hold one model several times: `[Net()] * 5`."""
    for node in script.every(ast.BinOp):
        held = next((each for each in (node.left, node.right) if isinstance(each, ast.List)), None)
        if held is None or not isinstance(node.op, ast.Mult) or len(held.elts) != 1:
            continue
        # Within a model layers are shared on purpose now and then.
        is_layers = any(isinstance(each, ast.ClassDef) for each in script.above(node))
        made = held.elts[0]
        is_own = isinstance(made, ast.Call) and (
            dotted(made.func) in script.classes or last_name(made.func) == "Sequential"
        )
        if not is_layers and is_own and _has_weights(script, made):
            observed = f"{ast.unparse(node)[:60]} holds one model several times, and not several models."
            yield Hit(script.place(node), observed)


def find_two_names(script: Script) -> Iterator[Hit]:
    """One model that is bound to several names at once, each of which has an optimiser of its own."""
    optimised = [names_read(call.args[0]) for call in script.calls if makes_optimiser(call) and call.args]
    for node in script.every(ast.Assign):
        names = [each.id for each in node.targets if isinstance(each, ast.Name)]
        trained = [name for name in names if any(name in each for each in optimised)]
        if len(trained) > 1 and _has_weights(script, node.value):
            observed = f"{' and '.join(trained)} are one model, bound to both names here, and each has its optimiser."
            yield Hit(script.place(node), observed)


CHECKS = (("H402", find_default_model), ("H402", find_repeated), ("H402", find_two_names))
