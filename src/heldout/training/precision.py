"""In which precision, and by which arithmetic, a network computes while it trains.

float32     everything in 32 bits
winograd    in 32 bits, but 3x3 convolutions by `winograd.py`: a third of the multiplications, errors ten times
            those of float32 and a thousandth of those of bfloat16
bfloat16    autocast: convolutions and linear layers in bfloat16; weights and their updates stay in 32 bits
selective   autocast, but depthwise convolutions in 32 bits, whose bfloat16 backward pass is 4 times slower than
            theirs in 32 bits (measured with torch 2.13 on a processor with AMX, 2026-11)
float16     autocast in float16 with a scaled loss, for GPUs without bfloat16
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from heldout.training import winograd

_AUTOCAST = {"bfloat16": torch.bfloat16, "selective": torch.bfloat16, "float16": torch.float16}


def candidates(net: nn.Module, device: torch.device) -> tuple[str, ...]:
    """The precisions of which one may be the fastest for this network on this device; exact ones first."""
    if device.type == "cuda":
        return ("bfloat16",) if torch.cuda.is_bf16_supported(including_emulation=False) else ("float16",)
    found = ["float32"]
    if any(winograd.is_suitable(module) for module in net.modules()):
        found.append("winograd")
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        found += ["bfloat16", "selective"] if any(map(is_depthwise, net.modules())) else ["bfloat16"]
    return tuple(found)


def is_depthwise(module: nn.Module) -> bool:
    """Whether this is a convolution with its own filters for each channel."""
    return isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1


@contextmanager
def computing_in(precision: str, net: nn.Module, device: torch.device) -> Iterator[None]:
    """Within: `net` computes in that precision. For the forward pass; the backward pass follows it by itself."""
    replaced = _replacements(precision, net, device)
    for module, forward in replaced.items():
        module.forward = forward
    try:
        if precision in _AUTOCAST:
            with torch.autocast(device.type, _AUTOCAST[precision]):
                yield
        else:
            yield
    finally:
        for module in replaced:
            del module.forward  # the method of its class is seen again


def _replacements(precision: str, net: nn.Module, device: torch.device) -> dict[nn.Module, Any]:
    """What the modules that do not follow the precision by themselves compute instead."""
    if precision == "winograd":
        chosen = [module for module in net.modules() if winograd.is_suitable(module)]
        return {module: partial(winograd.convolve, module.get_parameter("weight")) for module in chosen}
    if precision == "selective":
        return {
            module: partial(_in_32_bits, module.forward, device.type) for module in filter(is_depthwise, net.modules())
        }
    return {}


def _in_32_bits(forward: Any, device_type: str, inputs: Tensor) -> Tensor:
    with torch.autocast(device_type, enabled=False):
        out: Tensor = forward(inputs.float())
    return out
