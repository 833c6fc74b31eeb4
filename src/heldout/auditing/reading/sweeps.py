"""H401: settings that are tried one after the other on the same weights."""

import ast
from collections.abc import Iterator

from heldout.auditing.reading.training import makes_optimiser
from heldout.auditing.reading.tree import Function, Script, argument, calls_in, last_name, names_read, parameters_of
from heldout.auditing.rule import Hit
from heldout.findings import Severity

# What puts a model back to its beginning.
_RESETS = ("deepcopy", "load_state_dict", "reset_parameters", "apply", "reset", "init_weights", "requires_grad_")
# A loop, the name of the model in it, and the settings that it goes through.
_Sweep = tuple[ast.For, str, set[str]]
_SETTINGS = frozenset({"lr", "learning_rate", "weight_decay", "momentum", "betas", "eps", "alpha", "rho", "wd"})


def find_goes_on(script: Script) -> Iterator[Hit]:
    """Optimisers made for one setting after the other, of a model that is made before the loop."""
    for call in script.calls:
        if not makes_optimiser(call) or not call.args:
            continue
        model, settings = _model(call.args[0]), _settings(call)
        if model is None:
            continue
        for loop, name, used in _sweeps(script, call, model, settings):
            if not _begins_again(script, loop, name):
                told = ", ".join(sorted(used))
                observed = (
                    f"An optimiser is made here for each {told} of the loop in line {script.place(loop).line}, always "
                    f"of the same {name}, which is made before that loop and never put back."
                )
                falls = isinstance(loop.iter, ast.List | ast.Tuple) and _is_falling(loop.iter)
                severity: Severity | None = "note" if falls else None
                yield Hit(script.place(call), observed, severity=severity, more=(script.place(loop),))
                break


def _model(given: ast.expr) -> ast.Name | None:
    """The model whose `parameters()` an optimiser is given."""
    calls = calls_in(given, "parameters", "named_parameters")
    owners = [each.func.value for each in calls if isinstance(each.func, ast.Attribute)]
    return owners[0] if len(owners) == 1 and isinstance(owners[0], ast.Name) else None


def _settings(call: ast.Call) -> set[str]:
    """The names that an optimiser's settings are read from."""
    given = [each.value for each in call.keywords if each.arg in _SETTINGS] + call.args[1:2]
    return {name for each in given for name in names_read(each)}


def _sweeps(script: Script, call: ast.Call, model: ast.Name, settings: set[str]) -> Iterator[_Sweep]:
    """The loops over settings around an optimiser, here or where its function is called."""
    yield from _around(script, call, model.id, settings)
    function = script.scope(call)
    home = script.home(model)
    if (
        not isinstance(function, ast.FunctionDef)
        or home is not function
        or _is_rebound(script, function, model.id, call)
    ):
        return
    for use in script.calls_of.get(function.name, ()):
        given = _given(function, use, model.id)
        if isinstance(use.func, ast.Name) and isinstance(given, ast.Name):
            swept = {name for each in settings if (own := _given(function, use, each)) for name in names_read(own)}
            yield from _around(script, use, given.id, swept)


def _given(function: Function, call: ast.Call, name: str) -> ast.expr | None:
    names = parameters_of(function)
    return argument(call, names.index(name), name) if name in names else None


def _is_rebound(script: Script, function: Function, name: str, call: ast.Call) -> bool:
    """Whether a function makes something else of the model that it is given, before its optimiser."""
    before = [each for each in calls_in(function, *_RESETS) if script.order(each) < script.order(call)]
    return bool(before) or bool(script.bindings(function, name))


def _around(script: Script, call: ast.Call, model: str, settings: set[str]) -> Iterator[_Sweep]:
    for loop in script.loops(call):
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and loop.target.id in settings:
            yield loop, model, {loop.target.id}


def _begins_again(script: Script, loop: ast.For, model: str) -> bool:
    """Whether a loop makes or resets the model, or frees more of it from one turn to the next."""
    scope = script.scope(loop)
    bound = script.bindings(scope, model) or script.bindings(script.top, model)
    made_inside = any(loop in script.loops(each.at) for each in bound)
    frees = any(isinstance(each, ast.Attribute) and each.attr == "requires_grad" for each in ast.walk(loop))
    is_parameter = not bound
    return made_inside or frees or is_parameter or bool(calls_in(loop, *_RESETS)) or _resets_elsewhere(script, loop)


def _resets_elsewhere(script: Script, loop: ast.For) -> bool:
    """Whether a function that the loop calls puts a model back before anything else."""
    called = {last_name(each.func) for each in ast.walk(loop) if isinstance(each, ast.Call)}
    known = [each for name in called for each in script.functions.get(name, ())]
    resets = [each for each in known if calls_in(each, "reset_parameters", "init_weights", "apply")]
    return bool(resets) or any("reset" in name or "init" in name for name in called)


def _is_falling(values: ast.List | ast.Tuple) -> bool:
    """Whether rates fall: on the same weights that is a schedule made by hand."""
    numbers = [each.value for each in values.elts if isinstance(each, ast.Constant)]
    rates = [each for each in numbers if isinstance(each, int | float)]
    return len(rates) == len(values.elts) and rates == sorted(rates, reverse=True)


CHECKS = (("H401", find_goes_on),)
