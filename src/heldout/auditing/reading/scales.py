"""H112: scalers that are fitted anew on the part that a model is evaluated on."""

import ast
import re
from collections.abc import Iterator

from heldout.auditing.reading.tree import Script, last_name, receiver
from heldout.auditing.rule import Hit

_SCALERS = re.compile(r"^(?:Standard|MinMax|Robust|MaxAbs)Scaler$|^(?:Quantile|Power)Transformer$")
_TRAIN = re.compile(r"(?i)(?:^|_)(?:train|trn|tr|fit)(?:_|$|\d)|train")
_HELD_OUT = re.compile(r"(?i)(?:^|_)(?:val|valid|validation|test|tst|te|dev|eval|holdout|heldout)(?:_|$|\d)|test")


def find_fitted_again(script: Script) -> Iterator[Hit]:
    """Scalers fitted to held-out samples, after one was fitted to those of the training."""
    fitted = [
        (call, call.args[0]) for call in script.calls_of.get("fit_transform", ()) if call.args and _scaler(script, call)
    ]
    trained = [call for call, given in fitted if _TRAIN.search(_written(given))]
    for call, given in fitted:
        words = _written(given)
        before = [
            each
            for each in trained
            if script.order(each) < script.order(call) and _scaler(script, each) == _scaler(script, call)
        ]
        if before and _HELD_OUT.search(words) and not _TRAIN.search(words):
            observed = (
                f"{words} is scaled by its own mean and spread, and not by those of {_written(before[0].args[0])} "
                f"(line {script.place(before[0]).line}), from which the model learns."
            )
            yield Hit(script.place(call), observed, severity="warning", more=(script.place(before[0]),))


def _scaler(script: Script, call: ast.Call) -> str:
    """The class of the scaler that a method is called on; empty where it is none."""
    owner = receiver(call)
    made = script.value(owner) if owner is not None else None
    kind = last_name(made.func) if isinstance(made, ast.Call) else ""
    return kind if _SCALERS.search(kind) else ""


def _written(node: ast.expr) -> str:
    return ast.unparse(node)[:40]


CHECKS = (("H112", find_fitted_again),)
