"""A name and a number of classes -> a network that is ready to train."""

from typing import NamedTuple

import torch

from heldout.models.backbones import TIMM, Backbone, network_of
from heldout.models.efficientnet_lite import efficientnet_lite
from heldout.models.network import Network
from heldout.models.regimes import learning_names
from heldout.models.resnet import RESNETS, resnet
from heldout.models.weights import WeightsFile, load_weights


class ParameterCount(NamedTuple):
    """How many numbers a network learns.

    Attributes:
        n_parameters: In all.
        n_trained: Of these, how many the regime trains.
    """

    n_parameters: int
    n_trained: int


def build_network(
    backbone: Backbone, file: WeightsFile | None, n_classes: int, *, generator: torch.Generator
) -> Network:
    """A network with the weights of a file, and a head drawn afresh.

    Whatever is not loaded is drawn, the same for the same generator: the head of a pretrained network too, whatever
    its weights.

    Args:
        backbone: Which network.
        file: Whose weights go everywhere but into the head; None draws everything.
        n_classes: How many outputs the head has.
        generator: A CPU generator, the only source of randomness.

    Raises:
        WeightsError: The file cannot be read, or belongs to another network.
    """
    net = random_network(backbone.name, n_classes, generator=generator)
    if file is not None:
        load_weights(net, file, backbone=backbone, keep_head=False)
    return net


def random_network(backbone: str, n_classes: int, *, generator: torch.Generator) -> Network:
    """A network with random weights alone; `backbone` is a known name."""
    if backbone.startswith(TIMM):
        from heldout.models.timm_bridge import timm_network

        return timm_network(backbone, n_classes, generator=generator)
    network = network_of(backbone)
    if network in RESNETS:
        return resnet(network, n_classes, generator=generator)
    return efficientnet_lite(network, n_classes, generator=generator)


def count_parameters(net: Network, regime: str) -> ParameterCount:
    """How many numbers the network has, and how many of them the regime trains.

    Batch-normalisation statistics are no parameters.

    Raises:
        UsageError: No such regime, or the network has not got it.

    Example:
        >>> net = random_network("efficientnet-lite0", 5, generator=torch.Generator().manual_seed(0))
        >>> count_parameters(net, "frozen")
        ParameterCount(n_parameters=3377413, n_trained=6405)
    """
    learning = learning_names(net, regime)
    sizes = {name: parameter.numel() for name, parameter in net.named_parameters()}
    return ParameterCount(sum(sizes.values()), sum(sizes[name] for name in learning))
