"""Receptive fields against what really reaches an output: one-hot inputs through networks of positive weights."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from heldout.anatomy.counting.counting import count
from heldout.anatomy.counting.counts import LayerCount, ReceptiveField
from heldout.anatomy.counting.receptive import (
    WHOLE,
    Along,
    Fixed,
    Pattern,
    Scattered,
    adaptive_window,
    receptive_field,
    resampled,
    stretch,
    together,
    transposed_window,
    window,
)

LENGTH = 240


class Residual(nn.Module):
    """Two ways beside each other."""

    def __init__(self, way: nn.Module, other: nn.Module | None = None, *, joined: bool = False) -> None:
        super().__init__()
        self.way, self.other, self.joined = way, other or nn.Identity(), joined

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.way(x), self.other(x)
        if not self.joined:
            return torch.add(first, second)
        whole: Tensor = torch.cat([first, second], 1)[:, : first.shape[1]] + second[:, :1]
        return whole


def layer_of(draw: st.DrawFn) -> nn.Module:
    """A layer along one axis, of two channels."""
    kind = draw(st.sampled_from(["conv", "pool", "transposed", "nearest", "linear", "residual", "cat", "pad", "slice"]))
    kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    if kind == "conv":
        padding = draw(st.integers(0, 3))
        return nn.Conv1d(2, 2, kernel, draw(st.integers(1, 3)), padding, dilation, bias=False)
    if kind == "pool":
        return nn.AvgPool1d(kernel, draw(st.integers(1, 3)), draw(st.integers(0, kernel // 2)))
    if kind == "transposed":
        stride = draw(st.integers(1, kernel))
        return nn.ConvTranspose1d(2, 2, kernel, stride, draw(st.integers(0, 1)), dilation=1, bias=False)
    if kind in {"nearest", "linear"}:
        return nn.Upsample(scale_factor=draw(st.integers(2, 3)), mode=kind)
    if kind == "pad":
        return nn.ReplicationPad1d(draw(st.integers(0, 3)))
    if kind == "slice":
        return Slice(draw(st.integers(0, 3)), draw(st.integers(1, 2)))
    odd = 2 * draw(st.integers(0, 2)) + 1
    way = nn.Conv1d(2, 2, odd, padding="same", dilation=dilation, bias=False)
    return Residual(
        way, nn.Conv1d(2, 2, 3, padding=1, bias=False) if draw(st.booleans()) else None, joined=kind == "cat"
    )


class Slice(nn.Module):
    """Every few places from a start on."""

    def __init__(self, start: int, step: int) -> None:
        super().__init__()
        self.start, self.step = start, step

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, self.start :: self.step]


@st.composite
def networks(draw: st.DrawFn) -> nn.Module:
    first = nn.Conv1d(2, 2, 1, bias=False)  # says which axis has the channels
    return nn.Sequential(first, *[layer_of(draw) for _ in range(draw(st.integers(1, 4)))])


def reached(net: nn.Module, length: int = LENGTH) -> np.ndarray[Any, Any]:
    """Which inputs reach which outputs: inputs x outputs."""
    net = net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(0.5, 1.0, generator=torch.Generator().manual_seed(0))
        ones = torch.eye(length, dtype=torch.float64)[:, None].repeat(1, 2, 1)
        return np.asarray(net(ones).sum(1).abs() > 1e-12)


def inside(reach: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    """The first and last input that reaches each output, of outputs far from the edges."""
    ends = [np.flatnonzero(column)[[0, -1]].tolist() if column.any() else [0, 0] for column in reach.T]
    return [(start, stop) for start, stop in ends if start > LENGTH // 4 and stop < LENGTH - LENGTH // 4]


def last(net: nn.Module, shape: tuple[int, ...], **more: Any) -> LayerCount:
    counted = count(net, shape, **more)
    assert counted.notes == ()
    return counted.layers[-1]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(networks())
def test_a_random_network_sees_what_reaches_its_outputs(net: nn.Module) -> None:
    try:
        reach = reached(net)
    except RuntimeError:
        assume(False)
    free = inside(reach)
    field = last(net, (2, LENGTH)).receptive_field
    assert field is not None
    (size,), (jump,) = field.size, field.jump
    # Strides and factors are 1, 2 and 3: the fields of so many outputs repeat, and one of them is the largest.
    assume(len(free) >= 20)
    assert max(stop - start + 1 for start, stop in free) == size

    def repeats(period: int) -> bool:
        pairs = zip(free, free[period:], strict=False)
        return all((later - start, end - stop) == (jump * period,) * 2 for (start, stop), (later, end) in pairs)

    assert any(repeats(period) for period in range(1, 13))


def positive(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("net", "size", "jump"),
    [
        (positive(nn.Conv2d(1, 1, 3)), (3, 3), (1, 1)),
        (positive(nn.Conv2d(1, 1, (3, 5), stride=(1, 2))), (3, 5), (1, 2)),
        (positive(nn.Conv2d(1, 1, 3, dilation=4)), (9, 9), (1, 1)),
        (positive(nn.Conv2d(1, 1, 7, 2, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 1, 3)), (19, 19), (4, 4)),
        (positive(nn.ConvTranspose2d(1, 1, 3, 2)), (2, 2), (0.5, 0.5)),
        (positive(nn.ConvTranspose2d(1, 1, 2, 2), nn.Conv2d(1, 1, 2)), (2, 2), (0.5, 0.5)),
        (positive(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)), (2, 2), (0.5, 0.5)),
        (positive(nn.UpsamplingBilinear2d(scale_factor=2)), (2, 2), (23 / 47, 23 / 47)),
        (positive(nn.Conv2d(1, 4, 1), nn.PixelShuffle(2), nn.Conv2d(1, 1, 3)), (2, 2), (0.5, 0.5)),
        (positive(nn.PixelUnshuffle(2)), (2, 2), (2, 2)),
        (positive(nn.AdaptiveAvgPool2d(12)), (2, 2), (2, 2)),
        (positive(nn.AdaptiveAvgPool2d(1)), (), ()),
        (positive(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(484, 3)), (), ()),
        (positive(nn.Conv2d(1, 1, 3), nn.Flatten()), (3, 3), (1, 1)),
        (positive(nn.GroupNorm(1, 1)), (), ()),
        (positive(nn.BatchNorm2d(1)), (1, 1), (1, 1)),
        (positive(nn.InstanceNorm2d(1)), (), ()),
        (positive(nn.ReLU(), nn.Dropout2d()), (1, 1), (1, 1)),
        (positive(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), (3, 3), (1, 1)),
        (positive(nn.Conv2d(1, 1, 4, padding="same"), nn.ZeroPad2d((1, 0, 2, 0))), (4, 4), (1, 1)),
        (positive(nn.AvgPool2d((1, 24))), (1, 24), (1, 24)),
    ],
    ids=str,
)
def test_fields_by_hand(net: nn.Module, size: tuple[int, ...], jump: tuple[float, ...]) -> None:
    assert last(net, (1, 24, 24)).receptive_field == ReceptiveField(size, jump)


def test_a_pool_along_one_axis_sees_all_of_it() -> None:
    class Rows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.avg_pool2d(x.mean(3, keepdim=True), (2, 1))

    assert last(Rows(), (3, 8, 6)).receptive_field == ReceptiveField((2, 6), (2, 0))


def test_attention_and_recurrence_see_every_step_and_linear_layers_one() -> None:
    class Mixed(nn.Module):
        def __init__(self, mixing: nn.Module) -> None:
            super().__init__()
            self.before, self.mixing = nn.Linear(6, 6), mixing

        def forward(self, x: Tensor) -> Tensor:
            x = self.before(x)
            mixed = self.mixing(x, x, x) if isinstance(self.mixing, nn.MultiheadAttention) else self.mixing(x)
            return torch.neg(mixed[0] if isinstance(mixed, tuple) else mixed)

    for mixing in (nn.MultiheadAttention(6, 2, batch_first=True), nn.GRU(6, 6, batch_first=True)):
        counted = count(Mixed(mixing), (5, 6))
        fields = [layer.receptive_field for layer in counted.layers]
        assert fields == [ReceptiveField((1,), (1,)), ReceptiveField(), ReceptiveField()]
    assert last(Mixed(nn.Linear(6, 2)), (5, 6)).receptive_field == ReceptiveField((1,), (1,))


def test_tokens_of_patches_see_their_patch_until_they_are_mixed() -> None:
    class Tokens(nn.Module):
        def __init__(self, *, with_class: bool) -> None:
            super().__init__()
            self.patches, self.norm = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)
            self.first = nn.Parameter(torch.zeros(1, 1, 8)) if with_class else None

        def forward(self, x: Tensor) -> Tensor:
            tokens = self.norm(self.patches(x).flatten(2).transpose(1, 2))
            if self.first is not None:
                tokens = self.norm(torch.cat([self.first, tokens], 1))
            return functional.scaled_dot_product_attention(tokens, tokens, tokens)

    fields = {layer.name: layer.receptive_field for layer in count(Tokens(with_class=False), (3, 16, 24)).layers}
    assert fields["norm"] == ReceptiveField((4, 4), (4, 4))
    assert fields["scaled_dot_product_attention"] == ReceptiveField()
    fields = {layer.name: layer.receptive_field for layer in count(Tokens(with_class=True), (3, 16, 24)).layers}
    assert fields["scaled_dot_product_attention"] == ReceptiveField()


def test_what_cannot_be_told_is_none_until_all_of_it_is_mixed() -> None:
    class Rolled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.roll(x, 3, 2) * 2

    assert last(Rolled(), (3, 8, 8)).receptive_field is None
    assert last(positive(Rolled(), nn.AdaptiveAvgPool2d(1)), (3, 8, 8)).receptive_field == ReceptiveField()

    class Windows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            n, c, h, w = x.shape
            return x.view(n, c, h // 4, 4, w // 4, 4).mean((3, 5))

    # A mean over windows that were laid out by hand is not followed, and not taken for everything.
    assert last(Windows(), (3, 8, 8)).receptive_field is None


def test_a_tensor_written_in_parts_is_told_again_once_it_is_mixed() -> None:
    class Wrapped(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.pad(x, (1, 1, 1, 1), mode="circular") * 2

    assert last(Wrapped(), (3, 8, 8)).receptive_field is None
    mixed = positive(Wrapped(), nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1))
    assert last(mixed, (3, 8, 8)).receptive_field == ReceptiveField()

    class InPlace(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu_(x + 1)
            x += 1
            return x * 2

    assert last(InPlace(), (3, 8, 8)).receptive_field == ReceptiveField((1, 1), (1, 1))


def test_what_sees_nothing_of_the_first_input_has_no_field() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 5)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return torch.add(self.first(x)[:, :, 1:-1], self.second(y))

    fields = {layer.name: layer.receptive_field for layer in count(Two(), [(1, 20), (1, 20)]).layers}
    assert fields == {"first": ReceptiveField((3,), (1,)), "second": None, "add": ReceptiveField((3,), (1,))}


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3), st.integers(-20, 20))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_pattern_through_a_window_is_the_union_of_its_taps(
    kernel: int, stride: int, before: int, dilation: int, place: int
) -> None:
    uneven = Pattern((0, 1, 1), (2, 2, 5), 4)
    seen = window(Along(2, uneven), kernel, stride=stride, before=before, dilation=dilation)
    assert isinstance(seen, Along)
    taps = [uneven.at(place * stride - before + dilation * tap) for tap in range(kernel)]
    assert seen.pattern.at(place) == (min(low for low, _ in taps), max(high for _, high in taps))
    other = transposed_window(Along(2, uneven), kernel, stride=stride, before=before, dilation=dilation)
    assert isinstance(other, Along)
    hits = [
        uneven.at(entry)
        for entry in range(-99, 99)
        for tap in range(kernel)
        if entry * stride - before + dilation * tap == place
    ]
    if hits:
        assert other.pattern.at(place) == (min(low for low, _ in hits), max(high for _, high in hits))


def test_pieces_put_together() -> None:
    along = Along(2, Pattern())
    assert together(along, WHOLE) == WHOLE
    assert together(Fixed(0, 3), Fixed(2, 9)) == Fixed(0, 9)
    assert together(along, Along(3, Pattern())) == Scattered(frozenset({2, 3}))
    assert together(along, Along(2, Pattern((0,), (0,), 2))) == Scattered(frozenset({2}))
    assert stretch(Along(2, Pattern((0,), (4,), 3)), 2) == Fixed(6, 10)
    assert adaptive_window(along, 7, 1) == WHOLE
    assert receptive_field((Along(1, Pattern((0, 0), (1, 3), 2)), WHOLE), (9, 8)) == ReceptiveField((4, 8), (1.0, 0.0))


def test_a_period_that_grows_too_long_is_given_up() -> None:
    seen: Any = Along(2, Pattern())
    for length in (97, 89, 83):
        seen = resampled(seen, "nearest", Fraction(length, length + 1))
    assert seen == Scattered(frozenset({2}))
