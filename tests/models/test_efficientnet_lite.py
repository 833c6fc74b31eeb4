import pytest
import torch
from torch import nn
from torch.nn import functional

from heldout.models.efficientnet_lite import LITES, efficientnet_lite, same_padded, scaled_channels, scaled_depth
from heldout.models.network import Network
from heldout.models.timm_bridge import import_timm


def timm_name(name: str) -> str:
    return f"tf_efficientnet_{name.removeprefix('efficientnet-')}"


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


@pytest.mark.parametrize("name", list(LITES))
def test_it_says_what_timm_says_with_the_same_weights(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    net = with_random_statistics(efficientnet_lite(name, 7, generator=generator), generator)
    with torch.device("meta"):
        reference = import_timm().create_model(timm_name(name), num_classes=7)
    assert list(net.state_dict()) == list(reference.state_dict())
    reference.load_state_dict(net.state_dict(), strict=True, assign=True)
    # Halves that are odd somewhere, and a size that is no square: "SAME" padding shows there.
    for size in ((64, 64), (65, 98)):
        pixels = torch.randn(2, 3, *size, generator=generator)
        with torch.no_grad():
            ours, theirs = net(pixels), reference.eval()(pixels)
        assert torch.equal(ours, theirs)
        assert ours.std() > 0.01


def test_in_training_it_learns_as_timm_does() -> None:
    generator = torch.Generator().manual_seed(0)
    net = efficientnet_lite("efficientnet-lite0", 3, generator=generator)
    with torch.device("meta"):
        reference = import_timm().create_model("tf_efficientnet_lite0", num_classes=3)
    reference.to_empty(device="cpu").load_state_dict(net.state_dict())
    pixels = torch.randn(2, 3, 64, 64, generator=generator)
    gradients = []
    for model in (net.train(), reference.train()):
        model(pixels).square().sum().backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    torch.testing.assert_close(gradients[0], gradients[1])
    torch.testing.assert_close(dict(net.named_buffers()), dict(reference.named_buffers()))


def test_the_trunk_ends_before_the_last_stage() -> None:
    net = efficientnet_lite("efficientnet-lite0", 3, generator=torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        assert net.trunk(torch.zeros(1, 3, 64, 64)).shape == (1, 192, 2, 2)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (7, 8), (64, 65), (112, 113)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_a_same_padded_convolution_of_stride_2_halves_and_rounds_up(kernel: int, rows: int, columns: int) -> None:
    padded = same_padded(torch.ones(1, 1, rows, columns), kernel, 2)
    out = functional.conv2d(padded, torch.ones(1, 1, kernel, kernel), stride=2)
    assert out.shape == (1, 1, -(-rows // 2), -(-columns // 2))
    assert padded.sum() == rows * columns


def test_the_odd_line_of_zeros_goes_right_and_below() -> None:
    padded = same_padded(torch.ones(1, 1, 4, 4), 3, 2)[0, 0]
    assert padded[:4, :4].min() == 1
    assert padded.shape == (5, 5)


def test_lite2_scales_as_the_reference_does() -> None:
    channels = [scaled_channels(n, LITES["efficientnet-lite2"].width) for n in (16, 24, 40, 80, 112, 192, 320)]
    depths = [scaled_depth(stage, LITES["efficientnet-lite2"].depth) for stage in range(7)]
    assert channels == [16, 24, 48, 88, 120, 208, 352]
    assert depths == [1, 3, 3, 4, 4, 5, 1]
