"""A network for inference alone: every batch normalisation multiplied into the convolution before it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heldout.models.network import Network


def folded(net: Network, example: Tensor) -> Network:
    """The same function with fewer layers: normalisations that follow a convolution are folded into it.

    Which normalisation follows which convolution is seen by running the example through the network. Then the folded
    network must give the same features for it; where it does not (a convolution's output that is also used elsewhere),
    nothing is folded. `net` itself is changed and given back, in evaluation mode, and can learn no more.

    Args:
        net: A network in 32 bits on the CPU.
        example: Pixels of shape (batch, 3, height, width) that are not all alike.
    """
    net.eval().requires_grad_(False)
    names = {module: name for name, module in net.named_modules()}
    made_by: dict[int, nn.Module] = {}
    kept: list[Tensor] = []  # so that no identity is used twice while we look
    pairs: dict[nn.Module, nn.Module] = {}

    def after_convolution(module: nn.Module, _: Any, output: Tensor) -> None:
        made_by[id(output)] = module
        kept.append(output)

    def before_normalisation(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if id(inputs[0]) in made_by:
            pairs[module] = made_by[id(inputs[0])]

    hooks = [
        module.register_forward_hook(after_convolution)
        if type(module) is nn.Conv2d
        else module.register_forward_pre_hook(before_normalisation)
        for module in names
        # No subclasses: timm's compute something more, such as an activation or standardised weights.
        if type(module) in (nn.Conv2d, nn.BatchNorm2d)
    ]
    with torch.no_grad():
        before = net.features(example)
    for hook in hooks:
        hook.remove()
    for normalisation, convolution in pairs.items():
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(normalisation, nn.BatchNorm2d)
        net.set_submodule(names[convolution], fuse_conv_bn_eval(convolution, normalisation))
        net.set_submodule(names[normalisation], nn.Identity())
    with torch.no_grad():
        if torch.allclose(net.features(example), before, rtol=1e-3, atol=1e-3 * float(before.abs().max())):
            return net
    for normalisation, convolution in pairs.items():
        net.set_submodule(names[convolution], convolution)
        net.set_submodule(names[normalisation], normalisation)
    return net
