"""Copies of a model that can be run without touching the model: hollow ones, and real ones."""

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from heldout.anatomy.counting.hollow_tensors import hollow_like

MAX_KEPT_ENTRIES = 1 << 20
_PLAIN = frozenset({dict, OrderedDict, set})
Remake = Callable[[Tensor], Tensor]


def hollow_copy(model: nn.Module) -> nn.Module:
    """A copy whose parameters and buffers hold no numbers, and so take no memory.

    Args:
        model: Is only read.
    """
    return _copied(model, hollow_like)


def real_copy(model: nn.Module) -> nn.Module:
    """A copy on the CPU with the model's own numbers; zeros where it has none, being on torch's meta device.

    Args:
        model: Is only read.
    """
    return _copied(model, _real)


def _real(tensor: Tensor) -> Tensor:
    if tensor.device.type == "meta":
        return torch.zeros(tensor.shape, dtype=tensor.dtype)
    return tensor.detach().cpu().clone()


def _constant(tensor: Tensor, remake: Remake) -> Tensor:
    # Small constants keep their numbers: a network may look at them to know what to do.
    is_small = tensor.device.type == "cpu" and tensor.numel() <= MAX_KEPT_ENTRIES
    return tensor.clone() if is_small else remake(tensor)


def _copied(model: nn.Module, remake: Remake) -> nn.Module:
    new = _copied_somehow(model, remake)
    own = dict(new.named_parameters())
    for name, parameter in model.named_parameters():
        if own[name].requires_grad != parameter.requires_grad:
            own[name].requires_grad_(parameter.requires_grad)  # a compiled part forgets it
    return new


def _copied_somehow(model: nn.Module, remake: Remake) -> nn.Module:
    remade = _remade(model, remake)
    with torch.no_grad():
        try:
            with _RemadeTensors(lambda tensor: _constant(tensor, remake)):
                return copy.deepcopy(model, dict(remade))
        except Exception:
            # Something in it, such as a lock or an open file, cannot be copied: it is shared with the copy.
            return _shallow(model, dict(remade))


def _remade(model: nn.Module, remake: Remake) -> dict[int, Any]:
    """Every parameter and buffer by its id, as the copy will hold it; those that are one stay one."""
    memo: dict[int, Any] = {}
    for module in model.modules():
        # A module has a dozen collections for hooks, mostly empty; to copy them takes longer than all the rest.
        memo |= {id(each): type(each)() for each in module.__dict__.values() if type(each) in _PLAIN and not each}
        for parameter in module._parameters.values():
            if parameter is not None and id(parameter) not in memo and not _is_lazy(parameter):
                memo[id(parameter)] = _parameter(parameter, remake)
        for buffer in module._buffers.values():
            if buffer is not None and id(buffer) not in memo and not _is_lazy(buffer):
                memo[id(buffer)] = remake(buffer.detach()).requires_grad_(buffer.requires_grad)
    return memo


def _parameter(parameter: nn.Parameter, remake: Remake) -> nn.Parameter:
    remade = nn.Parameter(remake(parameter.detach()), requires_grad=parameter.requires_grad)
    remade.__dict__.update(parameter.__dict__)
    return remade


def _is_lazy(tensor: Tensor) -> bool:
    return bool(is_lazy(tensor))


class _RemadeTensors(TorchFunctionMode):
    """While it is active, a deep copy of a tensor is what `remake` makes of it: plain attributes, not leaves."""

    def __init__(self, remake: Remake) -> None:
        super().__init__()
        self._remake = remake

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        if func is Tensor.__deepcopy__ and not _is_lazy(args[0]):
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = self._remake(tensor.detach()).requires_grad_(tensor.requires_grad)
            return memo[id(tensor)]
        return func(*args, **(kwargs or {}))


def _shallow(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """Modules, parameters and buffers are new; everything else is shared."""
    if id(module) in memo:
        known: nn.Module = memo[id(module)]
        return known
    new = memo[id(module)] = module.__new__(type(module))
    new.__dict__ = {
        name: value.copy() if name.startswith("_") and isinstance(value, dict | set) else value
        for name, value in module.__dict__.items()
    }
    for name, child in module._modules.items():
        new._modules[name] = None if child is None else _shallow(child, memo)
    for kept in (new._parameters, new._buffers):
        for name, tensor in kept.items():
            kept[name] = memo.get(id(tensor), tensor)
    return new
