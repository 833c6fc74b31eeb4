from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from heldout.models.network import Network
from heldout.models.resnet import RESNETS, resnet
from heldout.models.timm_bridge import import_timm, import_torchvision


def with_random_statistics(net: Network, generator: torch.Generator) -> Network:
    """Batch normalisation that does something: random scale, shift, mean and variance."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5, generator=generator)
            for tensor in (module.bias, module.running_mean):
                assert tensor is not None
                nn.init.normal_(tensor, 0, 0.1, generator=generator)
    return net.eval()


def same_scores(make_reference: Callable[[], Any], net: Network, sizes: list[tuple[int, int]]) -> None:
    """Asserts that both say the same about the same pixels with the same weights, bit for bit."""
    with torch.device("meta"):
        reference = make_reference()
    assert list(net.state_dict()) == list(reference.state_dict())
    reference.load_state_dict(net.state_dict(), strict=True, assign=True)
    for height, width in sizes:
        pixels = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            ours, theirs = net(pixels), reference.eval()(pixels)
        assert torch.equal(ours, theirs)
        assert ours.std() > 0.01


@pytest.mark.parametrize("name", list(RESNETS))
def test_it_says_what_timm_and_torchvision_say_with_the_same_weights(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    net = with_random_statistics(resnet(name, 7, generator=generator), generator)
    # An odd size that is no square as well: padding shows there first.
    sizes = [(64, 64), (65, 97)]
    same_scores(lambda: import_timm().create_model(name, num_classes=7), net, sizes)
    same_scores(lambda: getattr(import_torchvision().models, name)(num_classes=7), net, sizes)


def test_in_training_it_learns_as_timm_does() -> None:
    generator = torch.Generator().manual_seed(0)
    net = resnet("resnet18", 3, generator=generator)
    with torch.device("meta"):
        reference = import_timm().create_model("resnet18", num_classes=3)
    reference.to_empty(device="cpu").load_state_dict(net.state_dict())
    pixels = torch.randn(2, 3, 64, 64, generator=generator)
    gradients = []
    for model in (net.train(), reference.train()):
        model(pixels).square().sum().backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    torch.testing.assert_close(gradients[0], gradients[1])
    torch.testing.assert_close(dict(net.named_buffers()), dict(reference.named_buffers()))


def test_the_trunk_ends_before_the_last_stage() -> None:
    net = resnet("resnet18", 3, generator=torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        assert net.trunk(torch.zeros(1, 3, 64, 64)).shape == (1, 256, 4, 4)
