"""What every network here can do, and how its random weights are drawn.

A network is a trunk, the rest and a head:

    pixels --trunk--> map --rest--> features --head--> class scores
             (still when only         (pooled)
              the last blocks learn)
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """A backbone with a linear head.

    `features(x) == rest(trunk(x))` and `forward(x) == head(features(x))` hold for every network, so that
    the trunk's output, or the features, can be kept and used again.

    Attributes:
        n_features: Width of the features.
        head_name: Name of the head among the submodules, as in the state dict.
        late_names: Names of the submodules of `rest` that have weights: the last blocks of the regime
            `partial`. Empty where the network cannot be divided.
        key_prefix: What our state-dict keys have in front of the published ones.
    """

    n_features: int
    head_name: str
    late_names: tuple[str, ...]
    key_prefix: ClassVar[str] = ""

    @property
    def head(self) -> nn.Linear:
        """The linear layer from features to class scores."""
        head = self.get_submodule(self.head_name)
        assert isinstance(head, nn.Linear), f"{self.head_name} is a {type(head).__name__}"
        return head

    @abstractmethod
    def trunk(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch channels rows columns"]:
        """The map before the last blocks: all that stays still in the regime `partial`."""

    @abstractmethod
    def rest(self, x: Float[Tensor, "batch channels rows columns"]) -> Float[Tensor, "batch n_features"]:
        """The features of a map that `trunk` made."""

    def features(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch n_features"]:
        """The pooled features of normalised pixels: what the head sees."""
        return self.rest(self.trunk(x))

    def forward(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch classes"]:
        """The class scores (logits) of normalised pixels."""
        scores: Tensor = self.head(self.features(x))
        return scores


SomeNetwork = TypeVar("SomeNetwork", bound=Network)


def drawn(make: Callable[[], SomeNetwork], generator: torch.Generator) -> SomeNetwork:
    """The network that `make` describes, on the CPU, with random weights from `generator`.

    The modules are made without memory first: their own constructors would draw from torch's global
    generator.
    """
    with torch.device("meta"):
        net = make()
    net.to_empty(device="cpu")
    draw_weights(net, generator)
    return net


def draw_weights(net: nn.Module, generator: torch.Generator) -> None:
    """Draws every weight of `net` afresh, in the order of its modules.

    Convolutions are normal with variance 2 / fan-out, counted per group, their biases 0; batch normalisation starts as
    the identity. For a convolution without groups that is what torchvision draws for ResNets, with groups what
    timm draws for EfficientNets. The head follows `draw_head`.

    Source:
        He et al. 2015, arXiv:1502.01852, equation 14 (the backward case).
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            fan_out = height * width * module.out_channels // module.groups
            nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / fan_out), generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)  # the memory is not set otherwise
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()  # constants, no draw
        elif isinstance(module, nn.Linear):
            draw_head(module, generator)
        else:
            own = [name for name, _ in module.named_parameters(recurse=False)]
            assert not own, f"no rule to draw {own} of {type(module).__name__}"


def draw_head(head: nn.Linear, generator: torch.Generator) -> None:
    """Draws a linear layer as torch's own constructor does, but from `generator`.

    Weights and biases are uniform within ±1 / sqrt(number of inputs).
    """
    bound = 1.0 / math.sqrt(head.in_features)
    nn.init.uniform_(head.weight, -bound, bound, generator=generator)
    nn.init.uniform_(head.bias, -bound, bound, generator=generator)
