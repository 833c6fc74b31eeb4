"""The rule of every kind of operation: hand values of small layers, and torch's own counter where it is right."""

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from heldout.anatomy.counting.counting import count
from heldout.anatomy.counting.counts import Count, Operations
from heldout.anatomy.counting.operation_rules_single import ACTIVATIONS, RULES


def of_function(function: Any, *shapes: tuple[int, ...]) -> Count:
    class Module(nn.Module):
        def forward(self, *inputs: Tensor) -> Any:
            return function(*inputs)

    return count(Module(), list(shapes), input_has_gradient=True, train=True)


def other(layer: nn.Module, shape: tuple[int, ...], *, train: bool = False) -> tuple[Any, Any]:
    counted = count(layer, shape, input_has_gradient=True, train=train)
    assert counted.notes == ()
    return counted.forward.other, counted.backward.other


# 2 channels of 3 x 4 entries: 24 in all.
SHAPE = (2, 3, 4)


@pytest.mark.parametrize(
    ("layer", "forward", "backward"),
    [
        (nn.BatchNorm2d(2), {"batch normalisation": 2 * 24}, {"batch normalisation": 6 * 24}),
        (nn.BatchNorm2d(2, affine=False), {"batch normalisation": 2 * 24}, {"batch normalisation": 24}),
        (nn.GroupNorm(1, 2), {"group normalisation": 8 * 24}, {"group normalisation": 10 * 24}),
        (nn.GroupNorm(1, 2, affine=False), {"group normalisation": 6 * 24}, {"group normalisation": 10 * 24}),
        (nn.LayerNorm(4), {"layer normalisation": 8 * 24}, {"layer normalisation": 10 * 24}),
        (nn.LayerNorm(4, bias=False), {"layer normalisation": 7 * 24}, {"layer normalisation": 10 * 24}),
        (nn.InstanceNorm2d(2), {"instance normalisation": 6 * 24}, {"instance normalisation": 9 * 24}),
        (nn.ReLU(), {"relu": 24}, {"relu": 24}),
        (nn.ReLU6(), {"hardtanh": 24}, {"hardtanh": 24}),
        (nn.GELU(), {"gelu": 24}, {"gelu": 24}),
        (nn.LeakyReLU(), {"leaky relu": 24}, {"leaky relu": 24}),
        (nn.Hardswish(), {"hardswish": 24}, {"hardswish": 24}),
        (nn.Softmax(-1), {"softmax": 5 * 24 - 2 * 6}, {"softmax": 4 * 24 - 6}),
        (nn.LogSoftmax(1), {"log softmax": 5 * 24 - 12}, {"log softmax": 4 * 24 - 12}),
        (nn.MaxPool2d(2), {"max pooling": 3 * 4}, {"max pooling": 4}),
        (nn.MaxPool2d(3, 1, 1), {"max pooling": 8 * 24}, {"max pooling": 24}),
        (nn.AvgPool2d((3, 2)), {"average pooling": 6 * 4}, {"average pooling": 6 * 4}),
        (nn.AdaptiveAvgPool2d(1), {"average pooling": 24}, {"average pooling": 24}),
        # Rows 0-1 and 1-2, columns 0-1, 1-2 and 2-3: windows of 4 entries.
        (nn.AdaptiveAvgPool2d((2, 3)), {"average pooling": 2 * 6 * 4}, {"average pooling": 2 * 6 * 4}),
        (nn.AdaptiveMaxPool2d((2, 3)), {"max pooling": 2 * 6 * 3}, {"max pooling": 12}),
        (nn.Upsample(scale_factor=2), {}, {"interpolation": 96}),
        (nn.Upsample(scale_factor=2, mode="bilinear"), {"interpolation": 7 * 96}, {"interpolation": 8 * 96}),
        (nn.Upsample(scale_factor=2, mode="bicubic"), {"interpolation": 31 * 96}, {"interpolation": 32 * 96}),
        (nn.Dropout(0.5), {}, {}),
        (nn.Flatten(), {}, {}),
        (nn.PixelUnshuffle(1), {}, {}),
        (nn.ZeroPad2d(1), {}, {}),
        (nn.ReflectionPad2d(1), {}, {"gradient sums": 2 * 30 - 24}),
    ],
    ids=str,
)
def test_what_is_no_dot_product(layer: nn.Module, forward: dict[str, int], backward: dict[str, int]) -> None:
    assert other(layer, SHAPE) == (forward, backward)


def test_what_is_another_in_training() -> None:
    assert other(nn.BatchNorm2d(2), SHAPE, train=True) == (
        {"batch normalisation": 6 * 24},
        {"batch normalisation": 9 * 24},
    )
    assert other(nn.Dropout(0.5), SHAPE, train=True) == ({"dropout": 3 * 24}, {"dropout": 24})
    # Of whole channels: one draw and one scaling for each of the two.
    assert other(nn.Dropout2d(0.5), SHAPE, train=True) == ({"dropout": 2 + 2 + 24}, {"dropout": 24})


@pytest.mark.parametrize(
    ("function", "forward"),
    [
        (lambda x: x + 1, {"element-wise": 24}),
        (lambda x: torch.add(x, x, alpha=2), {"element-wise": 48}),
        (lambda x: x.sum(), {"reductions": 23}),
        (lambda x: x.sum(-1), {"reductions": 24 - 6}),
        (lambda x: x.mean((2, 3)), {"reductions": 24}),
        (lambda x: x.amax(1), {"reductions": 24 - 12}),
        (lambda x: x.max(1)[0], {"reductions": 24 - 12}),
        (lambda x: torch.maximum(x, x), {"element-wise": 24}),
        (lambda x: x.std(-1), {"reductions": 4 * 24}),
        (torch.linalg.vector_norm, {"reductions": 48}),
        (lambda x: x.cumsum(-1), {"reductions": 24 - 6}),
        (lambda x: torch.where(x > 0, x, -x), {"element-wise": 3 * 24}),
        (lambda x: x.masked_fill(x > 0, 0), {"element-wise": 2 * 24}),
        (lambda x: torch.cat([x, x], 1)[:, ::2].permute(0, 2, 3, 1).reshape(1, -1), {}),
        (lambda x: torch.addcmul(x, x, x), {"element-wise": 48}),
        (lambda x: x + torch.arange(4).float(), {"element-wise": 24}),
        (lambda x: x + torch.rand(4), {"random draws": 4, "element-wise": 24}),
        (lambda x: functional.glu(x, 1), {"element-wise": 24}),
        (lambda x: functional.prelu(x, torch.ones(2)), {"prelu": 24}),
    ],
)
def test_functions(function: Any, forward: dict[str, int]) -> None:
    counted = of_function(function, SHAPE)
    assert counted.forward.other == forward
    assert counted.forward.multiply_adds == 0
    assert counted.notes == ()


@pytest.mark.parametrize(
    ("function", "shapes", "products", "sums"),
    [
        (lambda a, b: a @ b, ((3, 4), (4, 5)), 60, 15),
        (lambda a, b: torch.einsum("bij,bkj->bik", a, b), ((3, 4), (5, 4)), 60, 15),
        (lambda a, b: torch.einsum("bi,bi->b", a, b), ((7,), (7,)), 7, 1),
        (lambda a, b: a[0] @ b[0, 0], ((3, 4), (4, 4)), 12, 3),
        (lambda a, b: torch.dot(a[0, 0], b[0]), ((2, 4), (4,)), 4, 1),
        (lambda a, b: torch.baddbmm(a, a, b), ((3, 3), (3, 3)), 27, 9),
        (lambda a, b: torch.addbmm(torch.zeros(3, 5), a[0], b[0]), ((2, 3, 4), (2, 4, 5)), 120, 15),
        (lambda a, b: functional.linear(a, b[0]), ((3, 4), (5, 4)), 60, 15),
        (lambda a, b: functional.bilinear(a, b, torch.ones(6, 4, 5)), ((4,), (5,)), 120, 6),
        (lambda a, b: functional.conv1d(a, b[0]), ((4, 9), (6, 4, 3)), 6 * 7 * 12, 42),
    ],
)
def test_products_of_all_kinds(function: Any, shapes: tuple[Any, ...], products: int, sums: int) -> None:
    counted = of_function(function, *shapes)
    assert (counted.forward.multiply_adds, counted.forward.dot_products) == (products, sums)
    # One where a factor is a constant; torch takes products of a vector and a number entry by entry.
    assert counted.backward.multiply_adds in {2 * products, products, 0}
    assert counted.notes == ()


def test_zeros_that_are_padded_apart_from_the_convolution_are_no_data() -> None:
    within = count(nn.Conv2d(2, 3, 3, padding=1, bias=False), (2, 5, 6)).forward
    apart = count(nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(2, 3, 3, bias=False)), (2, 5, 6))
    assert apart.forward == within
    assert apart.backward.on_data == apart.forward.on_data < apart.forward.multiply_adds
    mirrored = count(nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(2, 3, 3, bias=False)), (2, 5, 6)).forward
    assert mirrored.on_data == mirrored.multiply_adds == within.multiply_adds


def test_a_transposed_convolution_counts_what_it_cuts_off() -> None:
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, bias=False)
    whole, cut = count(nn.ConvTranspose2d(2, 3, 3, stride=2, bias=False), (2, 5, 6)).forward, count(layer, (2, 5, 6))
    assert cut.forward.multiply_adds == whole.multiply_adds == whole.on_data == 5 * 6 * 2 * 3 * 9
    assert cut.forward.dot_products == whole.dot_products == 3 * 11 * 13
    # Along an axis of n entries the first window loses one of its 3 taps and the last one too.
    assert cut.forward.on_data == 2 * 3 * (3 * 5 - 2) * (3 * 6 - 2)


def test_fully_masked_and_biased_attention() -> None:
    counted = of_function(
        lambda q, mask: functional.scaled_dot_product_attention(q, q, q, attn_mask=mask), (2, 5, 4), (1, 5, 5)
    )
    scores = 2 * 5 * 5
    assert counted.forward.multiply_adds == 2 * scores * 4
    assert counted.forward.other == {"element-wise": 2 * 40 + scores, "softmax": 5 * scores - 2 * 10}


def test_an_operation_without_a_rule_is_named() -> None:
    counted = of_function(lambda x: torch.fft.fft(torch.fft.fft(x)).real, (4,))
    assert counted.notes == (
        "Not counted, because no rule tells what they cost: aten::_fft_c2c (3), aten::_fft_r2c (1).",
    )


def test_every_kind_has_its_rule_in_words() -> None:
    class Many(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout())
            self.head = nn.GRU(4, 4, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            steps = functional.softmax(self.body(x).flatten(2).transpose(1, 2), -1)
            return torch.mul(self.head(steps)[0].mean(1), torch.rand(4))

    counted = count(Many(), (3, 12, 12), input_has_gradient=True)
    kinds = {*counted.step.other, *counted.forward.other}
    assert len(kinds) > 8
    assert kinds <= {*RULES, *ACTIVATIONS.values()}


@st.composite
def plain_networks(draw: st.DrawFn) -> nn.Module:
    layers: list[nn.Module] = []
    channels = 3
    for _ in range(draw(st.integers(1, 4))):
        out = draw(st.integers(1, 5))
        kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
        kind = draw(st.sampled_from([nn.Conv2d, nn.ConvTranspose2d]))
        layers.append(kind(channels, out, kernel, stride, padding, bias=draw(st.booleans())))
        layers += draw(st.sampled_from([[], [nn.ReLU()], [nn.BatchNorm2d(out)], [nn.AvgPool2d(2, 1)]]))
        channels = out
        for parameter in layers[-1].parameters():
            parameter.requires_grad_(draw(st.booleans()))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 3))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(plain_networks(), st.booleans())
def test_torchs_own_counter_agrees_where_it_is_right(net: nn.Module, of_input: bool) -> None:
    # It is right without groups: the gradient of a grouped convolution's weight it multiplies by their number.
    x = torch.randn(1, 3, 12, 11, requires_grad=of_input)
    net.eval()
    with FlopCounterMode(display=False) as counter:
        try:
            scores = net(x)
        except RuntimeError:
            assume(False)
        forward = counter.get_total_flops()
        scores.sum().backward()
    counted = count(net, (3, 12, 11), input_has_gradient=of_input, train=False)
    assert counted.forward.flops == forward
    assert counted.step.flops == counter.get_total_flops()


def test_operations_add_up() -> None:
    one = Operations(10, 8, 2, {"relu": 3, "bias adds": 2})
    assert one + Operations(1, 1, 1, {"relu": 1}) == Operations(11, 9, 3, {"relu": 4, "bias adds": 2})
    assert (one.flops, one.multiplications, one.additions) == (20, 10, 10)
