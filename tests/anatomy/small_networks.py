"""Networks that several tests count."""

from torch import nn

from heldout.anatomy.counting.counts import Count, LayerCount


def small() -> nn.Sequential:
    """Two convolutions and a linear layer, for pictures of 3 x 8 x 8."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(80, 2))


def layers(counted: Count) -> dict[str, LayerCount]:
    """The layers by name."""
    return {layer.name: layer for layer in counted.layers}
