"""How many multiply-adds a network takes for one picture: those of its convolutions and linear layers.

A multiply-add is one multiplication and the addition of its product. Normalisation, activations and pooling come to a
hundredth of these in the networks here and are left out, as the tables of the papers leave them out.

Checked by: tests/models/test_multiply_adds.py, against the published figures.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout.models.network import Network


@dataclass(frozen=True, slots=True)
class MultiplyAdds:
    """Of one picture's forward pass, part by part.

    Attributes:
        trunk: What stays still in the regime `partial`.
        rest: The last blocks.
        head: The linear layer.
    """

    trunk: int
    rest: int
    head: int

    @property
    def features(self) -> int:
        """All but the head."""
        return self.trunk + self.rest


def count_multiply_adds(net: "Network", side: int) -> MultiplyAdds:
    """The multiply-adds of one picture of `side` x `side` pixels.

    Args:
        net: Is run once, in evaluation mode, in which it is left.
        side: Of the square picture, pixels.
    """
    import torch
    from torch import nn

    counted = 0

    def count(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal counted
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            counted += output[0].numel() * height * width * module.in_channels // module.groups
        elif isinstance(module, nn.Linear):
            counted += output[0].numel() * module.in_features

    handles = [module.register_forward_hook(count) for module in net.modules()]
    device = next(net.parameters()).device
    net.eval()
    try:
        with torch.inference_mode():
            maps = net.trunk(torch.zeros(1, 3, side, side, device=device))
            trunk = counted
            features = net.rest(maps)
            rest = counted - trunk
            net.head(features)
    finally:
        for handle in handles:
            handle.remove()
    return MultiplyAdds(trunk, rest, counted - trunk - rest)


def of_training(regime: str, once: MultiplyAdds, *, n_train: int, n_validation: int, n_epochs: int) -> int:
    """The multiply-adds of a whole training.

    The forward pass of a part that learns is followed by two as large, for the gradients of its weights and of its
    inputs. What stays still is computed once a picture and kept. Every epoch ends with a forward pass of the validation
    examples. The fit of a head to its optimum is left out: it is about a hundredth of the features that it needs.

    Args:
        regime: What learns.
        once: Of one picture's forward pass.
        n_train: Training examples.
        n_validation: Validation examples.
        n_epochs: Epochs; 0 for a fitted head.

    Example:
        >>> of_training("partial", MultiplyAdds(10, 5, 1), n_train=4, n_validation=2, n_epochs=3)
        342
    """
    n = n_train + n_validation
    learning = {"frozen": once.head, "partial": once.rest + once.head}.get(regime, once.features + once.head)
    first = 0 if regime == "scratch" else n * once.features  # what the head is fitted to, or the trunk's maps
    return first + n_epochs * (3 * n_train + n_validation) * learning
