"""In which precision, and by which arithmetic, a network computes while it trains.

float32     everything in 32 bits
winograd    in 32 bits, but 3x3 convolutions by `winograd.py`: a third of the multiplications, errors ten times
            those of float32 and a thousandth of those of bfloat16
bfloat16    autocast: convolutions and linear layers in bfloat16; weights and their updates stay in 32 bits
selective   autocast, but depthwise convolutions in 32 bits, whose bfloat16 backward pass is 4 times slower than
            theirs in 32 bits (measured with torch 2.13 on a processor with AMX, 2026-11)
float16     autocast in float16 with a scaled loss, for GPUs without bfloat16

In every one of them a batch normalisation with fixed statistics (`regimes.set_mode`) is computed by the convolution
before it, as a factor of its weights and a bias. The gradients are those of the two layers; what the backward pass
keeps is half (measured here, 2026-11-22: 2.3 GB for 3.5 GB at 32 pictures of EfficientNet-Lite0).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from heldout.models.folding import followers, is_same
from heldout.models.regimes import has_fixed_statistics, set_mode
from heldout.training import winograd
from heldout.training.tasks import Task

_AUTOCAST = {"bfloat16": torch.bfloat16, "selective": torch.bfloat16, "float16": torch.float16}

# Weights, inputs, bias or None -> outputs.
_Convolve = Callable[[Tensor, Tensor, Tensor | None], Tensor]
_Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """How the modules of one network compute.

    Attributes:
        precision: One of the names above.
        device_type: `cpu` or `cuda`.
        forwards: What some modules compute instead of their own forward pass.
    """

    precision: str
    device_type: str
    forwards: Mapping[nn.Module, _Forward]

    @property
    def is_mixed(self) -> bool:
        """Whether linear layers are computed in fewer than 32 bits."""
        return self.precision in _AUTOCAST


def make_arithmetic(precision: str, task: Task) -> Arithmetic:
    """The arithmetic in that precision for the network of a task."""
    kinds = {module: _convolve(precision, module) for module in task.net.modules() if isinstance(module, nn.Conv2d)}
    special: dict[nn.Module, _Forward] = {
        module: partial(_alone, convolve, module) for module, convolve in kinds.items() if convolve is not None
    }
    plain = Arithmetic(precision, task.device.type, special)
    if not has_fixed_statistics(task.regime):
        return plain
    forwards = dict(special)
    for normalisation, convolution in _followers(task).items():
        forwards[convolution] = partial(
            _normalised, kinds[convolution] or _plain(convolution), convolution, normalisation
        )
        forwards[normalisation] = _unchanged
    folded = Arithmetic(precision, task.device.type, forwards)
    return folded if _is_same_function(task, forwards) else plain


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
def computing_by(arithmetic: Arithmetic) -> Iterator[None]:
    """Within: the network computes that way. For the forward pass; the backward pass follows it by itself."""
    for module, forward in arithmetic.forwards.items():
        module.forward = forward
    try:
        if arithmetic.precision in _AUTOCAST:
            with torch.autocast(arithmetic.device_type, _AUTOCAST[arithmetic.precision]):
                yield
        else:
            yield
    finally:
        for module in arithmetic.forwards:
            del module.forward  # the method of its class is seen again


def _followers(task: Task) -> dict[nn.BatchNorm2d, nn.Conv2d]:
    set_mode(task.net, task.regime, training=False)
    found = followers(task.net, lambda: task.logits(task.net, task.example[:1]))
    return {normalisation: one for normalisation, one in found.items() if one.padding_mode == "zeros"}


def _is_same_function(task: Task, forwards: Mapping[nn.Module, _Forward]) -> bool:
    with torch.no_grad():
        wanted = task.logits(task.net, task.example[:1])
        with computing_by(Arithmetic("float32", task.device.type, forwards)):
            return is_same(task.logits(task.net, task.example[:1]), wanted)


def _convolve(precision: str, module: nn.Conv2d) -> _Convolve | None:
    """What computes a convolution that does not follow the precision by itself."""
    if precision == "winograd" and winograd.is_suitable(module):
        return winograd.convolve
    if precision == "selective" and is_depthwise(module):
        return partial(_in_32_bits, _plain(module), module.weight.device.type)
    return None


def _plain(module: nn.Conv2d) -> _Convolve:
    def convolve(weight: Tensor, inputs: Tensor, bias: Tensor | None) -> Tensor:
        return functional.conv2d(inputs, weight, bias, module.stride, module.padding, module.dilation, module.groups)

    return convolve


def _in_32_bits(convolve: _Convolve, device_type: str, weight: Tensor, inputs: Tensor, bias: Tensor | None) -> Tensor:
    with torch.autocast(device_type, enabled=False):
        return convolve(weight, inputs.float(), bias)


def _alone(convolve: _Convolve, module: nn.Conv2d, inputs: Tensor) -> Tensor:
    return convolve(module.weight, inputs, module.bias)


def _normalised(convolve: _Convolve, module: nn.Conv2d, normalisation: nn.BatchNorm2d, inputs: Tensor) -> Tensor:
    """The convolution and the normalisation after it, whose statistics stay."""
    mean, variance = normalisation.running_mean, normalisation.running_var
    assert mean is not None
    assert variance is not None
    scale = torch.rsqrt(variance + normalisation.eps)
    if normalisation.weight is not None:
        scale = scale * normalisation.weight
    bias = -mean if module.bias is None else module.bias - mean
    bias = bias * scale if normalisation.bias is None else torch.addcmul(normalisation.bias, bias, scale)
    return convolve(module.weight * scale[:, None, None, None], inputs, bias)


def _unchanged(inputs: Tensor) -> Tensor:
    return inputs
