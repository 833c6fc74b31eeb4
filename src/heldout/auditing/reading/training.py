"""What a script's own text says about its training: backward passes, steps, optimisers, schedulers and epochs."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.tree import Loop, Script, calls_in, dotted, last_name, names_read, receiver

_OPTIMISER = re.compile(r"(?i)opt")
_OPTIMISERS = re.compile(
    r"^(?:SGD|ASGD|Adam|AdamW|Adamax|NAdam|RAdam|Adagrad|Adadelta|RMSprop|Rprop|LBFGS|SparseAdam|Adafactor|Lion)$"
)
SCHEDULERS = re.compile(
    r"^(?:\w+LR|ReduceLROnPlateau|CosineAnnealingWarmRestarts|get_\w*schedule\w*|create_scheduler\w*)$"
)
# Loops over these count over all of them on purpose.
_REPEATED = re.compile(r"(?i)fold|seed|trial|run|rep|task|episode|client|round|split|shard|stage|lr|model")
_EPOCH = re.compile(r"(?i)^(?:\w*epochs?\w*|ep|e)$")


def backward_passes(script: Script) -> list[ast.Call]:
    """Calls of `backward` on a loss; an engine that is given the loss clears the gradients by itself."""
    return [call for call in script.calls_of.get("backward", ()) if receiver(call) is not None and not call.args]


def is_optimiser(script: Script, node: ast.expr) -> bool:
    """Whether a value is an optimiser, by what made it or by its name."""
    value = script.value(node)
    made = isinstance(value, ast.Call) and bool(_OPTIMISERS.match(last_name(value.func)))
    return made or bool(_OPTIMISER.search(last_name(node)))


def makes_optimiser(call: ast.Call) -> bool:
    """Whether a call makes one of torch's optimisers."""
    return bool(_OPTIMISERS.match(last_name(call.func)))


def optimiser_steps(script: Script) -> list[ast.Call]:
    """Steps of optimisers."""
    found = []
    for call in script.calls_of.get("step", ()):
        owner = receiver(call)
        if owner is not None and is_optimiser(script, owner) and not _is_scheduler_name(last_name(owner)):
            found.append(call)
    return found


def _is_scheduler_name(name: str) -> bool:
    return "sched" in name.lower()


def loss_names(script: Script, loop: ast.AST) -> set[str]:
    """The names of what is differentiated in a loop, however it is scaled or handed over."""
    found: set[str] = set()
    for call in calls_in(loop, "backward", "manual_backward", "scale_loss"):
        owner = receiver(call)
        found |= names_read(owner) if owner is not None else set()
        for given in call.args:
            found |= names_read(given)
    return found


def is_epoch_loop(script: Script, loop: Loop) -> bool:
    """Whether a loop goes over epochs: by its variable, or by a loop in it that trains."""
    if isinstance(loop, ast.While):
        return False
    named = isinstance(loop.target, ast.Name) and bool(_EPOCH.match(loop.target.id))
    inner = [each for each in ast.walk(loop) if isinstance(each, ast.For) and each is not loop]
    if _REPEATED.search(last_name(loop.target)) or any(_EPOCH.match(last_name(each.target)) for each in inner):
        return False
    counts = isinstance(loop.iter, ast.Call) and last_name(loop.iter.func) in {"range", "trange", "tqdm"}
    return (named and counts) or (counts and any(calls_in(each, "backward") for each in inner))


def batch_loops(script: Script) -> Iterator[Loop]:
    """The innermost loops in which a loss is differentiated."""
    seen = set()
    for call in backward_passes(script):
        loops = script.loops(call)
        if loops and loops[0] not in seen:
            seen.add(loops[0])
            yield loops[0]


def trains(script: Script) -> bool:
    """Whether a script differentiates a loss and steps an optimiser by itself."""
    return bool(backward_passes(script)) and bool(optimiser_steps(script))


def without_gradients(script: Script) -> Iterator[ast.AST]:
    """Blocks and functions that run under `torch.no_grad()` or `torch.inference_mode()`."""
    for block in script.every(ast.With):
        if any(_switches_off(item.context_expr) for item in block.items):
            yield block
    for function in script.every(ast.FunctionDef):
        if any(_switches_off(each) for each in function.decorator_list):
            yield function


def _switches_off(node: ast.expr) -> bool:
    return dotted(node.func if isinstance(node, ast.Call) else node).split(".")[-1] in {"no_grad", "inference_mode"}
