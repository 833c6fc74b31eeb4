"""H201, H205, H206 and H406: steps, schedules and seeds."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.models import is_model_call
from heldout.auditing.reading.training import (
    SCHEDULERS,
    backward_passes,
    batch_loops,
    is_optimiser,
    makes_optimiser,
    optimiser_steps,
    trains,
)
from heldout.auditing.reading.tree import Loop, Script, calls_in, dotted, last_name, receiver
from heldout.auditing.rule import Hit

# Words of a script that clears gradients, by itself or by something that it calls.
_CLEARS = re.compile(
    r"(?i)zero_|zero_?grad|set_to_none|(?:clear|reset|clean)_?\w*grad|post_accumulate|deepspeed|autograd_hook"
)
# What can be asked of a scheduler without its ever being stepped.
_ASKED = frozenset({"get_last_lr", "get_lr", "last_epoch", "base_lrs", "state_dict", "optimizer", "print_lr"})


def find_uncleared(script: Script) -> Iterator[Hit]:
    """Backward passes and steps in a loop of a script in which nothing clears a gradient."""
    if any(_CLEARS.search(word) for word in script.words) or _sets_gradients(script):
        return
    steps = optimiser_steps(script)
    if any(step.args or step.keywords for step in steps):  # a closure clears by itself
        return
    for loop in batch_loops(script):
        inside = [step for step in steps if loop in script.loops(step)]
        made_here = any(makes_optimiser(call) for call in calls_in_loop(loop))
        if inside and not made_here:
            first = next(call for call in backward_passes(script) if script.loops(call)[:1] == [loop])
            observed = "The script calls backward() and step() in this loop, and nothing in it ever clears a gradient."
            yield Hit(script.place(first), observed, more=(script.place(inside[0]),))


def calls_in_loop(loop: Loop) -> list[ast.Call]:
    """All calls in a loop."""
    return [each for each in ast.walk(loop) if isinstance(each, ast.Call)]


def _sets_gradients(script: Script) -> bool:
    targets = (target for each in script.every(ast.Assign) for target in each.targets)
    return any(isinstance(each, ast.Attribute) and each.attr == "grad" for each in targets)


def find_unstepped(script: Script) -> Iterator[Hit]:
    """Schedulers that are made, and neither stepped nor handed on."""
    if not script.calls_of.get("step"):
        return
    for node in script.every(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if _makes_scheduler(call):
                scope = script.scope(node)
                bound = [each for each in script.bindings(scope, name) if each.at is not node]
                reads = script.loads(scope, name)
                in_class = isinstance(script.parent(node), ast.ClassDef)
                if not bound and not in_class and all(_only_asks(script, each) for each in reads):
                    kind = last_name(call.func)
                    yield Hit(script.place(node), f"This {kind} is called {name}, and {name}.step() stands nowhere.")


def _makes_scheduler(call: ast.Call) -> bool:
    name = dotted(call.func)
    return bool(SCHEDULERS.match(last_name(call.func))) and "sklearn" not in name


def _only_asks(script: Script, name: ast.Name) -> bool:
    parent = script.parent(name)
    return isinstance(parent, ast.Attribute) and parent.attr in _ASKED


def find_before(script: Script) -> Iterator[Hit]:
    """Schedulers stepped in a loop before the optimiser is, every time."""
    for call in script.calls_of.get("step", ()):
        owner = receiver(call)
        made = script.value(owner) if owner is not None else None
        if not isinstance(made, ast.Call) or not _makes_scheduler(made) or not made.args or call.args:
            continue
        loops, optimiser = script.loops(call), last_name(made.args[0])
        if not loops or script.parent(script.statement(call)) is not loops[0] or call.keywords:
            continue
        steps = [each for each in calls_in(loops[0], "step") if _steps(script, each, optimiser)]
        if steps and all(script.order(each) > script.order(call) for each in steps):
            step = min(steps, key=script.order)
            observed = (
                f"In this loop {last_name(owner) if owner else 'it'}.step() comes before {optimiser}.step() of line "
                f"{script.place(step).line}: the first learning rate of the schedule is never used."
            )
            yield Hit(script.place(call), observed, more=(script.place(step),))


def _steps(script: Script, call: ast.Call, optimiser: str) -> bool:
    """Whether a call steps this optimiser, by itself or through a gradient scaler."""
    owner = receiver(call)
    given = call.args[0] if call.args else owner
    return bool(optimiser) and given is not None and last_name(given) == optimiser and is_optimiser(script, given)


def find_no_seed(script: Script) -> Iterator[Hit]:
    """Scripts that train and set no seed."""
    if not trains(script) or _is_seeded(script):
        return
    for loop in batch_loops(script):
        asked = [call for call in calls_in_loop(loop) if is_model_call(script, call)]
        place = script.place(asked[0] if asked else next(iter(calls_in(loop, "backward"))))
        yield Hit(place, "No seed is set anywhere in this script: the next run prints other numbers.")
        return


def _is_seeded(script: Script) -> bool:
    """Whether anything is called, given or imported that is named after a seed, apart from generators made by hand."""
    called = (name for name in script.calls_of if name != "manual_seed")
    given = (each.arg or "" for call in script.calls for each in call.keywords)
    attributes = (each.attr for each in script.every(ast.Attribute) if each.attr != "manual_seed")
    imported = (each.name for each in script.every(ast.alias))
    if any("seed" in name.lower() for names in (called, given, attributes, imported) for name in names):
        return True
    return any(_is_global(call) for call in script.calls_of.get("manual_seed", ()))


def _is_global(call: ast.Call) -> bool:
    """Whether a call seeds the generator that torch draws weights from, and not one that was made by hand."""
    owner = receiver(call)
    return owner is None or dotted(owner) in {"torch", "torch.random", "torch.cuda", "th", "T", "random", "cuda"}


CHECKS = (("H201", find_uncleared), ("H205", find_unstepped), ("H206", find_before), ("H406", find_no_seed))
