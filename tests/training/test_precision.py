import pytest
import torch
from torch import nn

from heldout.training.precision import candidates, computing_in, is_depthwise
from training.small import CPU, small_network


def made_of(precision: str) -> dict[str, torch.dtype]:
    """In which type each layer's output is computed."""
    net, found = small_network(), {}
    inputs = torch.rand(2, 3, 8, 8)
    hooks = [
        module.register_forward_hook(lambda _, __, out, name=name: found.update({name: out.dtype}))
        for name, module in net.named_children()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    with computing_in(precision, net, CPU):
        net(inputs)
    for hook in hooks:
        hook.remove()
    return found


def test_bfloat16_computes_convolutions_and_the_head_in_16_bits() -> None:
    assert set(made_of("bfloat16").values()) == {torch.bfloat16}


def test_selective_keeps_depthwise_convolutions_in_32_bits() -> None:
    found = made_of("selective")
    assert found.pop("depthwise") == torch.float32
    assert set(found.values()) == {torch.bfloat16}


@pytest.mark.parametrize("precision", ["float32", "winograd"])
def test_the_precisions_of_32_bits_compute_in_32_bits(precision: str) -> None:
    assert set(made_of(precision).values()) == {torch.float32}


def test_winograd_gives_what_float32_gives_but_for_rounding() -> None:
    net, inputs = small_network().eval(), torch.rand(4, 3, 8, 8)
    plain = net(inputs)
    with computing_in("winograd", net, CPU):
        found = net(inputs)
    (slope,) = torch.autograd.grad(plain.sum(), net.last.weight)
    (again,) = torch.autograd.grad(found.sum(), net.last.weight)
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(again, slope, rtol=1e-3, atol=1e-4)
    assert not torch.equal(again, slope)  # it is another arithmetic


@pytest.mark.parametrize("precision", ["float32", "winograd", "bfloat16", "selective"])
def test_the_network_is_as_before_afterwards(precision: str) -> None:
    net, inputs = small_network().eval(), torch.rand(2, 3, 8, 8)
    before = net(inputs)
    with pytest.raises(ZeroDivisionError), computing_in(precision, net, CPU):  # noqa: PT012
        net(inputs)
        raise ZeroDivisionError
    assert torch.equal(net(inputs), before)
    assert all("forward" not in vars(module) for module in net.modules())


def test_weights_and_their_gradients_stay_in_32_bits() -> None:
    net = small_network()
    with computing_in("selective", net, CPU):
        out = net(torch.rand(2, 3, 8, 8))
    out.float().sum().backward()
    assert {one.grad.dtype for one in net.parameters() if one.grad is not None} == {torch.float32}


def test_candidates_are_what_this_machine_and_this_network_can_gain_from() -> None:
    found = candidates(small_network(), CPU)
    assert found[:2] == ("float32", "winograd")
    assert ("bfloat16" in found) == bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    assert candidates(nn.Sequential(nn.Conv2d(3, 8, 1)), CPU)[0] == "float32"
    assert "winograd" not in candidates(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False)), CPU)


def test_depthwise_means_one_filter_set_a_channel() -> None:
    assert is_depthwise(nn.Conv2d(8, 8, 3, groups=8))
    assert is_depthwise(nn.Conv2d(8, 16, 3, groups=8))
    assert not is_depthwise(nn.Conv2d(8, 8, 3, groups=4))
    assert not is_depthwise(nn.Conv2d(1, 8, 3))
