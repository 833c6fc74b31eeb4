"""What a layer is, and what it is called."""

from functools import cache
from typing import Any

import torch
from torch import nn

from heldout.anatomy.counting.traces import Place

# Files of torch.nn whose modules only call other modules: what they do between is shown as functions.
_CONTAINERS = frozenset(f"torch.nn.modules.{name}" for name in ("module", "container", "transformer", "adaptive"))
# How Python calls operators behind the scenes.
_OPERATORS = {"truediv": "div", "floordiv": "floor_divide", "getitem": "getitem", "invert": "bitwise_not"}


@cache
def function_name(func: Any) -> str:
    """The name of one of torch's functions without Python's marks: `add` for `__iadd__`, `add_` and `__radd__`.

    Args:
        func: As a function mode sees it.
    """
    name: str = (getattr(func, "__name__", None) or type(func).__name__).partition(".")[0]
    if name == "__get__" or not name.endswith("_"):
        return name
    bare = name.strip("_")
    known = set(dir(torch.Tensor))
    for candidate in (bare, bare[1:]) if name.startswith("__") else (bare,):
        if candidate in _OPERATORS:
            return _OPERATORS[candidate]
        if candidate in known:
            return candidate
    return bare


def kind_of(module: nn.Module) -> str:
    """The class of a module, without the mark of a parametrised or compiled one.

    Args:
        module: Any.
    """
    name: str = getattr(module, "original_name", None) or type(module).__name__
    return name.removeprefix("Parametrized")


def batch_axis(module: nn.Module) -> int:
    """Where a module has its batch axis: second in torch's recurrent, attention and transformer modules unless told.

    Args:
        module: Any.
    """
    if not isinstance(module, nn.RNNBase | nn.MultiheadAttention | nn.Transformer):
        if type(module).__module__ != "torch.nn.modules.transformer":
            return 0
        module = next((each for each in module.modules() if isinstance(each, nn.MultiheadAttention)), module)
    return 0 if getattr(module, "batch_first", True) else 1


def place_of_module(name: str, module: nn.Module) -> Place:
    """The layer that a module is.

    Args:
        name: Of the layer.
        module: Any.
    """
    return Place(name, kind_of(module), True, batch_axis(module))


def is_one_layer(module: nn.Module, *, is_root: bool) -> bool:
    """Whether what a module does is shown as one: torch's own layers, and modules without modules in them.

    Args:
        module: Any.
        is_root: Whether it is the whole model: what it does is shown one by one, unless it is a layer of torch.
    """
    of_torch = any(
        each.__module__.startswith("torch.nn.modules.") and each.__module__ not in _CONTAINERS
        for each in type(module).__mro__
    )
    return of_torch or (not is_root and not any(True for _ in module.children()))
