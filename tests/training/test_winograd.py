from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from heldout.training import winograd


def drawn(*shape: int, seed: int = 0) -> Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return values.contiguous(memory_format=torch.channels_last)


def with_gradients(
    function: Callable[[Tensor, Tensor, Tensor], Tensor], inputs: Tensor, weight: Tensor, slope: Tensor
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    inputs, weight = inputs.clone().requires_grad_(), weight.clone().requires_grad_()
    bias = torch.linspace(-1, 1, len(weight), dtype=weight.dtype).requires_grad_()
    out = function(weight, inputs, bias)
    out.backward(slope)  # type: ignore[no-untyped-call]
    return out.detach(), inputs.grad, weight.grad, bias.grad


def plain(weight: Tensor, inputs: Tensor, bias: Tensor) -> Tensor:
    return functional.conv2d(inputs, weight, bias, padding=1)


@pytest.mark.parametrize("n_in", [3, 128])  # below and above the channels at which the forward pass changes
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (4, 4), (5, 7), (8, 12), (14, 14), (3, 9)])
def test_outputs_and_all_gradients_are_those_of_the_plain_convolution(n_in: int, rows: int, columns: int) -> None:
    inputs, weight = drawn(3, n_in, rows, columns), drawn(6, n_in, 3, 3, seed=1)
    slope = drawn(3, 6, rows, columns, seed=2)
    found = with_gradients(winograd.convolve, inputs, weight, slope)
    exact = with_gradients(plain, inputs.double(), weight.double(), slope.double())
    for one, other in zip(found, exact, strict=True):
        assert one is not None
        assert other is not None
        assert one.shape == other.shape
        assert (one - other).abs().max() < 5e-5 * other.abs().max()


def test_groups_of_pictures_give_what_single_pictures_give() -> None:
    inputs, weight = drawn(9, 128, 56, 56), drawn(64, 128, 3, 3, seed=1)  # three groups
    together = winograd.convolve(weight, inputs)
    alone = torch.cat([winograd.convolve(weight, one[None]) for one in inputs])
    torch.testing.assert_close(together, alone, rtol=0, atol=2e-4)


def test_the_result_is_channels_last_and_the_inputs_stay() -> None:
    inputs, weight = drawn(2, 128, 8, 8), drawn(4, 128, 3, 3, seed=1)
    before = inputs.clone()
    out = winograd.convolve(weight, inputs)
    assert out.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(inputs, before)


def test_the_result_can_be_changed_in_place() -> None:
    inputs, weight = drawn(2, 128, 8, 8), drawn(4, 128, 3, 3, seed=1).requires_grad_()
    out = winograd.convolve(weight, inputs)
    out += 1
    out.relu_().sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None


def test_no_gradient_of_inputs_is_made_that_nobody_wants() -> None:
    inputs, weight = drawn(2, 128, 8, 8), drawn(4, 128, 3, 3, seed=1).requires_grad_()
    winograd.convolve(weight, inputs).sum().backward()  # type: ignore[no-untyped-call]
    assert inputs.grad is None
    assert weight.grad is not None


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(64, 64, 3, padding=1, stride=2, bias=False),
        nn.Conv2d(64, 64, 5, padding=2, bias=False),
        nn.Conv2d(64, 64, 3, bias=False),
        nn.Conv2d(64, 64, 3, padding=1, bias=False, groups=64),
        nn.Conv2d(64, 64, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(64, 64, 3, padding=1, bias=False, padding_mode="circular"),
        nn.Conv2d(3, 64, 3, padding=1, bias=False),
        nn.Linear(64, 64),
    ],
)
def test_only_convolutions_that_it_computes_are_suitable(other: nn.Module) -> None:
    assert not winograd.is_suitable(other)
    assert winograd.is_suitable(nn.Conv2d(64, 64, 3, padding=1, bias=False))
