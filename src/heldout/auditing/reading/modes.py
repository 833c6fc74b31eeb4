"""H208: evaluations in a script that never puts a model into evaluation mode."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.models import is_model_call
from heldout.auditing.reading.training import batch_loops, trains, without_gradients
from heldout.auditing.reading.tree import Script, is_constant, last_name
from heldout.auditing.rule import Hit

_NOISY = re.compile(r"^(?:(?:Alpha|Feature)?Dropout[123]?d?|(?:Sync)?BatchNorm(?:[123]d)?|LazyBatchNorm[123]d)$")
_KNOWN = re.compile(r"^(?:resnet|resnext|wide_resnet|densenet|mobilenet|efficientnet|vgg|alexnet|inception|googlenet)")
_LOSS = re.compile(r"(?i)(?:loss|criterion|cross_entropy|accuracy|acc)(?:_fn|_func|_score)?$")


def find_never_switched(script: Script) -> Iterator[Hit]:
    """Evaluations of a model with dropout or batch normalisation, where nothing ever calls `eval()`."""
    noisy = sorted(word for word in script.words if _NOISY.match(word) or _KNOWN.match(word))
    if not noisy or not trains(script) or _switches(script):
        return
    training = set(batch_loops(script))
    for block in without_gradients(script):
        # A model that is asked between the steps of another, or of itself, is a part of training.
        if training & set(script.loops(block)):
            continue
        asked = [each for each in ast.walk(block) if is_model_call(script, each)]
        if asked and _is_judged(block):
            observed = (
                f"The model is evaluated here and eval() stands nowhere in this script, which uses "
                f"{', '.join(noisy[:3])}."
            )
            yield Hit(script.place(asked[0]), observed, severity="warning")
            return


def _switches(script: Script) -> bool:
    """Whether a script may put a model into evaluation mode, by itself or through something that it calls."""
    elsewhere = (name for name in script.calls_of if name not in script.functions)
    if "training" in script.words or any("eval" in name for name in elsewhere):
        return True
    calls = script.calls_of.get("train", ())
    given = [each for call in calls for each in (*call.args, *(keyword.value for keyword in call.keywords))]
    return any(not is_constant(each, True) for each in given)


def _is_judged(block: ast.AST) -> bool:
    """Whether answers are compared with labels, or a loss is taken."""
    compared = any(isinstance(each, ast.Compare) and isinstance(each.ops[0], ast.Eq) for each in ast.walk(block))
    calls = (each for each in ast.walk(block) if isinstance(each, ast.Call))
    return compared or any(_LOSS.search(last_name(call.func)) for call in calls)


CHECKS = (("H208", find_never_switched),)
