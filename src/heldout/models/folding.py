"""Batch normalisation with fixed statistics is a factor and a summand a channel: the convolution before can do both."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heldout.models.network import Network


def followers(net: nn.Module, run: Callable[[], Tensor]) -> dict[nn.BatchNorm2d, nn.Conv2d]:
    """Which convolution's output each normalisation takes, seen by running the network.

    That the output is used nowhere else is not seen here: whoever folds must compare the results.

    Args:
        net: Its modules are watched.
        run: Puts something through `net`.
    """
    made_by: dict[int, nn.Conv2d] = {}
    kept: list[Tensor] = []  # so that no identity is used twice while we look
    found: dict[nn.BatchNorm2d, nn.Conv2d] = {}

    def after_convolution(module: nn.Module, _: Any, output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        made_by[id(output)] = module
        kept.append(output)

    def before_normalisation(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d)
        if id(inputs[0]) in made_by:
            found[module] = made_by[id(inputs[0])]

    hooks = [
        module.register_forward_hook(after_convolution)
        if type(module) is nn.Conv2d
        else module.register_forward_pre_hook(before_normalisation)
        for module in net.modules()
        # No subclasses: timm's compute something more, such as an activation or standardised weights.
        if type(module) in (nn.Conv2d, nn.BatchNorm2d)
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return found


def is_same(found: Tensor, wanted: Tensor) -> bool:
    """Whether two outputs are one function's, but for rounding."""
    return torch.allclose(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


def folded(net: Network, example: Tensor) -> Network:
    """The same function with fewer layers: normalisations that follow a convolution are folded into it.

    The folded network must give the same features for the example; where it does not (a convolution's output that is
    also used elsewhere), nothing is folded. `net` itself is changed and given back, in evaluation mode, and can learn
    no more.

    Args:
        net: A network in 32 bits on the CPU.
        example: Pixels of shape (batch, 3, height, width) that are not all alike.
    """
    net.eval().requires_grad_(False)
    names = {module: name for name, module in net.named_modules()}
    with torch.no_grad():
        before = net.features(example)
    pairs = followers(net, lambda: net.features(example))
    for normalisation, convolution in pairs.items():
        net.set_submodule(names[convolution], fuse_conv_bn_eval(convolution, normalisation))
        net.set_submodule(names[normalisation], nn.Identity())
    with torch.no_grad():
        if is_same(net.features(example), before):
            return net
    for normalisation, convolution in pairs.items():
        net.set_submodule(names[convolution], convolution)
        net.set_submodule(names[normalisation], normalisation)
    return net
