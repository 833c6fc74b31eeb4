"""Results of operations on hollow tensors: shapes without numbers, so that nothing is computed and no memory taken.

Hollow tensors are torch's own meta tensors. torch can tell the shapes itself, but imports sympy and its compiler to do
so, which takes seconds; what common networks need is told here in microseconds, and torch is asked for the rest. Where
anything looks unusual, torch is asked as well: it knows which error to raise.
"""

from typing import Any

import torch
from torch import Tensor

from heldout.anatomy.counting.aten_calls import Call, is_in_place, is_pointwise, is_view
from heldout.anatomy.counting.hollow_shapes import SHAPES
from heldout.anatomy.counting.hollow_tensors import ASK, broadcast, hollow_like, spread
from heldout.anatomy.counting.operation_rules_single import ACTIVATIONS

_COMPARISONS = frozenset(
    ("eq", "ne", "lt", "le", "gt", "ge", "logical_not", "logical_and", "logical_or", "isnan", "isinf", "isfinite")
)

# What writes without looking at what was there.
_WRITERS = frozenset(("fill", "zero", "copy", "bernoulli", "uniform", "normal", "exponential", "random"))


def hollow_result(call: Call) -> Any:
    """The result of a call whose tensors are all hollow.

    Args:
        call: Without its result.
    """
    if is_view(call.func):
        return ask_torch(call)
    try:
        result = _told(call)
    except Call.NoArgument:
        result = ASK
    return ask_torch(call) if result is ASK else result


def hollowed(values: Any) -> Any:
    """Values with every tensor hollow: constants that a network makes have numbers until they meet one.

    Args:
        values: A tensor, lists of them, or anything else, which stays what it is.
    """
    if isinstance(values, Tensor):
        return values if values.is_meta else hollow_like(values)
    if isinstance(values, list | tuple):
        return type(values)(hollowed(each) for each in values)
    return values


def _told(call: Call) -> Any:
    rule = SHAPES.get(call.name)
    if is_in_place(call.func):
        return _in_place(call)
    if rule is not None:
        return rule(call)
    is_entry_by_entry = is_pointwise(call.func) or call.name.removesuffix("_backward") in ACTIVATIONS
    return _pointwise(call) if is_entry_by_entry else ASK


def ask_torch(call: Call) -> Any:
    """What torch itself gives.

    Args:
        call: Without its result.
    """
    return call.func(*call.args, **call.kwargs)


def _pointwise(call: Call) -> Any:
    tensors = call.tensors()
    dtypes = {each.dtype for each in tensors}
    numbers = [value for value in call.args if isinstance(value, bool | int | float | complex)]
    if len(dtypes) != 1 or any(isinstance(value, complex) for value in numbers) or len(call.func._schema.returns) != 1:
        return ASK
    (dtype,) = dtypes
    if call.kwargs.get("dtype") is not None or not dtype.is_floating_point:
        return ASK
    return spread(tensors, torch.bool if call.name in _COMPARISONS else dtype)


def _in_place(call: Call) -> Any:
    target = call.args[0]
    if len(call.func._schema.returns) != 1 or not (
        is_pointwise(call.func) or call.name in ACTIVATIONS or call.name in _WRITERS
    ):
        return ASK
    shape = broadcast([each.shape for each in call.tensors()])
    return target if shape == tuple(target.shape) else ASK
