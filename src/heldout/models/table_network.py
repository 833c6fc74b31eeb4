"""The network of a table's rows, while it is trained: the same layers as `table_models.Layers`."""

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from heldout.models.network import Network, draw_weights
from heldout.models.table_models import Layers


class TableNetwork(Network):
    """Hidden layers with ReLU, and a head; without hidden layers it is logistic regression.

    Attributes:
        n_inputs: Width of a row.
        hidden: The hidden layers.
    """

    head_name = "output"
    late_names = ()

    def __init__(self, n_inputs: int, hidden: tuple[int, ...], n_classes: int) -> None:
        super().__init__()
        widths = (n_inputs, *hidden)
        self.n_inputs, self.n_features = n_inputs, widths[-1]
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.output = nn.Linear(widths[-1], n_classes)

    def trunk(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch width"]:
        """What the last hidden layer gives; the inputs themselves where there is none."""
        for layer in self.hidden:
            x = functional.relu(layer(x))
        return x

    def rest(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """The same: all layers learn together."""
        return x

    def layers(self) -> Layers:
        """Copies of the weights."""
        layers = [*self.hidden, self.head]
        weights, biases = (
            tuple(np.array(getattr(layer, name).detach().cpu().numpy()) for layer in layers)
            for name in ("weight", "bias")
        )
        return Layers(weights, biases)


def random_table_network(
    n_inputs: int, hidden: tuple[int, ...], n_classes: int, *, generator: torch.Generator
) -> TableNetwork:
    """The network with random weights, drawn from `generator` as torch's own layers draw theirs.

    torch's own generator stays as it was. To make the layers without memory first, as larger networks are made, would
    import sympy: a second.
    """
    with torch.random.fork_rng(devices=()):
        net = TableNetwork(n_inputs, hidden, n_classes)
    draw_weights(net, generator)
    return net
