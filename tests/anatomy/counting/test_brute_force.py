"""Counts of random small layers against arithmetic that counts itself.

What the loops of `brute_force` compute is what torch computes, and what they count is what `count` says. The gradients
too: their formulas are computed by such loops, and are those of autograd.
"""

from itertools import product
from math import tanh
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from anatomy.brute_force import (
    Array,
    Number,
    Padded,
    Scattered,
    Tally,
    Window,
    attended,
    back_through_time,
    convolution_gradients,
    convolved,
    gru_cell,
    instrumented,
    linear,
    lstm_cell,
    matmul,
    plain,
    renewed,
    summed,
    transposed_products,
    values,
    with_bias,
)
from heldout.anatomy.counting.counting import count

# torch warns that it copies the input for a padding "same" of an odd number of zeros.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
MODEST = settings(max_examples=25, deadline=None, derandomize=True)


THOROUGH = settings(max_examples=400, deadline=None)


@st.composite
def convolutions(draw: st.DrawFn) -> Padded:
    """A small random convolution with an input that is large enough for its window."""
    n_axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))
    n_in, n_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    padding_kind = draw(st.sampled_from(["number", "valid", "same"]))
    kernel = tuple(draw(st.lists(st.integers(1, 3), min_size=n_axes, max_size=n_axes)))
    dilation = tuple(draw(st.lists(st.integers(1, 2), min_size=n_axes, max_size=n_axes)))
    most_stride = 1 if padding_kind == "same" else 3
    stride = tuple(draw(st.lists(st.integers(1, most_stride), min_size=n_axes, max_size=n_axes)))
    spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    padding: Any = padding_kind
    before, after = (0,) * n_axes, (0,) * n_axes
    if padding_kind == "number":
        padding = tuple(draw(st.lists(st.integers(0, 2), min_size=n_axes, max_size=n_axes)))
        before = after = padding
    elif padding_kind == "same":
        before = tuple(span // 2 for span in spans)
        after = tuple(span - span // 2 for span in spans)
    sizes = tuple(draw(st.integers(span + 1, span + 4)) for span in spans)
    kind = [nn.Conv1d, nn.Conv2d][n_axes - 1]
    made: Any = kind(n_in, n_out, kernel, stride, padding, dilation, groups, bias=draw(st.booleans()))  # type: ignore[arg-type]
    return Padded(made.double(), values(n_in, *sizes), Window(kernel, stride, dilation), before, after)


def check_convolution(case: Padded) -> None:
    tally = Tally()
    found = plain(convolved(case, tally))
    x = case.x[None].clone().requires_grad_()
    expected = case.layer(x)
    np.testing.assert_allclose(found, expected[0].detach().numpy(), atol=1e-12)

    counted = count(case.layer, tuple(case.x.shape), input_has_gradient=True)
    assert counted.layers[-1].output_shape == found.shape
    assert counted.forward.multiply_adds == tally.multiplications
    assert counted.forward.on_data == tally.on_data
    assert counted.forward.additions == tally.additions

    slope = values(*found.shape)
    expected.backward(slope[None])
    backward = Tally()
    of_weight, of_x = convolution_gradients(case, slope, backward)
    np.testing.assert_allclose(of_weight, case.layer.weight.grad.numpy(), atol=1e-12)
    assert x.grad is not None
    np.testing.assert_allclose(of_x, x.grad[0].numpy(), atol=1e-12)
    assert counted.backward.multiply_adds == backward.multiplications
    without = count(case.layer, tuple(case.x.shape))
    assert without.backward.multiply_adds == backward.multiplications // 2


@MODEST
@given(convolutions())
def test_a_convolution_multiplies_and_adds_as_often_as_is_counted(case: Padded) -> None:
    check_convolution(case)


@pytest.mark.slow
@THOROUGH
@given(convolutions())
def test_very_many_convolutions(case: Padded) -> None:
    check_convolution(case)


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> Scattered:
    n_axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 2))
    n_in, n_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel, dilation, stride, cut, more, sizes = [], [], [], [], [], []
    for _ in range(n_axes):
        kernel.append(draw(st.integers(1, 3)))
        dilation.append(draw(st.integers(1, 2)))
        stride.append(draw(st.integers(1, 3)))
        more.append(draw(st.integers(0, max(stride[-1], dilation[-1]) - 1)))
        sizes.append(draw(st.integers(1, 4)))
        whole = (sizes[-1] - 1) * stride[-1] + dilation[-1] * (kernel[-1] - 1) + more[-1] + 1
        cut.append(draw(st.integers(0, min(2, (whole - 1) // 2))))
    kind = [nn.ConvTranspose1d, nn.ConvTranspose2d][n_axes - 1]
    bias = draw(st.booleans())
    made: Any = kind(n_in, n_out, kernel, stride, cut, more, groups, bias, dilation)  # type: ignore[arg-type]
    window = Window(tuple(kernel), tuple(stride), tuple(dilation))
    return Scattered(made.double(), values(n_in, *sizes), window, tuple(cut), tuple(more))


def check_transposed(case: Scattered) -> None:
    """The definition: every entry times the whole window, added up where the windows overlap, and the edge cut off."""
    layer, window, tally, backward = case.layer, case.window, Tally(), Tally()
    x, weight = instrumented(case.x, tally), instrumented(layer.weight, tally)
    axes = zip(case.x.shape[1:], window.kernel, window.stride, window.dilation, case.more, strict=True)
    whole = [(n - 1) * s + d * (k - 1) + more + 1 for n, k, s, d, more in axes]
    inner = tuple(slice(c, n - c) for c, n in zip(case.cut, whole, strict=True))
    n_outputs, n_of_group = weight.shape[1] * layer.groups, len(weight) // layer.groups
    landed: Array = np.frompyfunc(lambda _: [], 1, 1)(np.empty((n_outputs, *whole), object))
    slope = values(n_outputs, *(part.stop - part.start for part in inner))
    slopes = np.zeros((n_outputs, *whole))
    slopes[(slice(None), *inner)] = slope.numpy()
    slopes = instrumented(torch.from_numpy(slopes), backward)
    weight_again, x_again = instrumented(layer.weight, backward), instrumented(case.x, backward)
    of_weight, of_x = np.zeros(weight.shape), np.zeros(x.shape)
    n_inside = 0
    for (channel, *place), out, tap in product(np.ndindex(*x.shape), range(weight.shape[1]), window.taps()):
        at = (channel // n_of_group * weight.shape[1] + out, *window.reached(tuple(place), tap))
        key = (channel, out, *tap)
        landed[at].append(x[(channel, *place)] * weight[key])
        n_inside += all(part.start <= a < part.stop for a, part in zip(at[1:], inner, strict=True))
        of_x[(channel, *place)] += (slopes[at] * weight_again[key]).value
        of_weight[key] += (slopes[at] * x_again[(channel, *place)]).value
    added = np.frompyfunc(lambda terms: summed(terms) if terms else Number(0.0, tally), 1, 1)(landed)
    found = plain(with_bias(added[(slice(None), *inner)], layer.bias, tally))

    given_x = case.x[None].clone().requires_grad_()
    expected = layer(given_x)
    np.testing.assert_allclose(found, expected[0].detach().numpy(), atol=1e-12)
    counted = count(layer, tuple(case.x.shape), input_has_gradient=True)
    assert counted.layers[-1].output_shape == found.shape
    assert counted.forward.multiply_adds == tally.multiplications
    assert counted.forward.on_data == n_inside
    assert counted.forward.additions == tally.additions
    expected.backward(slope[None])
    assert given_x.grad is not None
    np.testing.assert_allclose(of_x, given_x.grad[0].numpy(), atol=1e-12)
    np.testing.assert_allclose(of_weight, layer.weight.grad.numpy(), atol=1e-12)
    assert counted.backward.multiply_adds == backward.multiplications


@MODEST
@given(transposed_convolutions())
def test_a_transposed_convolution_multiplies_and_adds_as_often_as_is_counted(case: Scattered) -> None:
    check_transposed(case)


@pytest.mark.slow
@THOROUGH
@given(transposed_convolutions())
def test_very_many_transposed_convolutions(case: Scattered) -> None:
    check_transposed(case)


@MODEST
@given(rows=st.integers(1, 3), n_in=st.integers(1, 5), n_out=st.integers(1, 5), bias=st.booleans(), first=st.booleans())
def test_a_linear_layer(rows: int, n_in: int, n_out: int, bias: bool, first: bool) -> None:
    layer: Any = nn.Linear(n_in, n_out, bias=bias).double()
    x, tally, backward = values(rows, n_in), Tally(), Tally()
    found = plain(linear(instrumented(x, tally), instrumented(layer.weight, tally), layer.bias, tally))
    given_x = x.clone().requires_grad_()
    expected = layer(given_x)
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-12)
    slope = values(rows, n_out)
    expected.backward(slope)
    slopes = instrumented(slope, backward)
    of_weight = plain(transposed_products(slopes, instrumented(x, backward)))
    np.testing.assert_allclose(of_weight, layer.weight.grad.numpy(), atol=1e-12)
    if not first:
        of_x = plain(matmul(slopes, instrumented(layer.weight, backward)))
        assert given_x.grad is not None
        np.testing.assert_allclose(of_x, given_x.grad.numpy(), atol=1e-12)

    counted = count(layer, (rows, n_in), input_has_gradient=not first)
    assert counted.forward.multiply_adds == counted.forward.on_data == tally.multiplications == tally.on_data
    assert counted.forward.additions == tally.additions
    assert counted.backward.multiply_adds == backward.multiplications


class SelfAttention(nn.Module):
    """Attention of the rows of its input to one another."""

    def __init__(self, width: int, heads: int, *, bias: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, bias=bias, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return out


@MODEST
@given(
    tokens=st.integers(1, 4),
    heads=st.integers(1, 2),
    width=st.integers(1, 3),
    bias=st.booleans(),
    learning=st.booleans(),
)
def test_attention(tokens: int, heads: int, width: int, bias: bool, learning: bool) -> None:
    layer = SelfAttention(heads * width, heads, bias=bias).double().train(learning)
    attention, x, tally, backward = layer.attention, values(tokens, heads * width), Tally(), Tally()
    found, slopes = attended(attention, x, tally, backward)
    given_x = x[None].clone().requires_grad_()
    expected = layer(given_x)
    np.testing.assert_allclose(found, expected[0].detach().numpy(), atol=1e-12)
    expected.backward(values(tokens, heads * width)[None])
    assert attention.in_proj_weight.grad is not None
    assert given_x.grad is not None
    np.testing.assert_allclose(slopes["weight"], attention.in_proj_weight.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(slopes["x"], given_x.grad[0].numpy(), atol=1e-12)

    counted = count(layer, (tokens, heads * width), input_has_gradient=True)
    assert counted.forward.multiply_adds == tally.multiplications
    assert counted.forward.additions == tally.additions
    assert counted.backward.multiply_adds == backward.multiplications


@MODEST
@given(steps=st.integers(1, 4), n_in=st.integers(1, 4), hidden=st.integers(1, 4), first=st.booleans())
def test_a_plain_recurrent_layer(steps: int, n_in: int, hidden: int, first: bool) -> None:
    layer, x, tally, backward = nn.RNN(n_in, hidden, batch_first=True).double(), values(steps, n_in), Tally(), Tally()
    own = dict(layer.named_parameters())
    rows = instrumented(x, tally)
    from_input, from_state = instrumented(own["weight_ih_l0"], tally), instrumented(own["weight_hh_l0"], tally)
    states = [instrumented(torch.zeros(1, hidden, dtype=torch.float64), tally)]
    for row in rows:
        one = linear(row[None], from_input, own["bias_ih_l0"], tally)
        other = linear(states[-1], from_state, own["bias_hh_l0"], tally)
        together = plain(one) + plain(other)  # the cell's own addition is no part of a dot product
        states.append(renewed(instrumented(torch.from_numpy(together), tally), tanh))
    found = np.concatenate([plain(state) for state in states[1:]])
    given_x = x[None].clone().requires_grad_()
    expected = layer(given_x)[0]
    np.testing.assert_allclose(found, expected[0].detach().numpy(), atol=1e-12)
    expected.backward(values(steps, hidden)[None])

    of_weights, of_x = back_through_time(own, x, [plain(state) for state in states], backward, of_input=not first)
    for name, of_weight in of_weights.items():
        gradient = own[name].grad
        assert gradient is not None
        np.testing.assert_allclose(of_weight, gradient.numpy(), atol=1e-12)
    assert given_x.grad is not None
    if not first:
        np.testing.assert_allclose(of_x, given_x.grad[0].numpy(), atol=1e-12)
    counted = count(layer, (steps, n_in), input_has_gradient=not first)
    assert counted.forward.multiply_adds == tally.multiplications
    assert counted.forward.additions == tally.additions
    assert counted.backward.multiply_adds == backward.multiplications


@MODEST
@given(
    kind=st.sampled_from(["LSTM", "GRU"]),
    steps=st.integers(1, 3),
    n_in=st.integers(1, 3),
    hidden=st.integers(1, 3),
    bias=st.booleans(),
)
def test_recurrent_layers_with_gates(kind: str, steps: int, n_in: int, hidden: int, bias: bool) -> None:
    layer = getattr(nn, kind)(n_in, hidden, bias=bias, batch_first=True).double()
    cell_of = {"LSTM": lstm_cell, "GRU": gru_cell}[kind]
    x, tally, own = values(steps, n_in), Tally(), dict(layer.named_parameters())
    from_input, from_state = instrumented(own["weight_ih_l0"], tally), instrumented(own["weight_hh_l0"], tally)
    state, cell, found = np.zeros((1, hidden)), np.zeros((1, hidden)), []
    for row in instrumented(x, tally):
        of_input = plain(linear(row[None], from_input, own.get("bias_ih_l0"), tally))
        known = instrumented(torch.from_numpy(state), tally)
        of_state = plain(linear(known, from_state, own.get("bias_hh_l0"), tally))
        state, cell = cell_of(of_input, of_state, state, cell)
        found.append(state)
    np.testing.assert_allclose(np.concatenate(found), layer(x[None])[0][0].detach().numpy(), atol=1e-12)
    counted = count(layer, (steps, n_in))
    assert counted.forward.multiply_adds == tally.multiplications
    assert counted.forward.additions == tally.additions


def test_the_numbers_count_what_is_done_with_them() -> None:
    tally = Tally()
    zero, two, three = Number(0.0, tally, is_padding=True), Number(2.0, tally), Number(3.0, tally)
    assert summed([two * three, two * zero, three * three]).value == 15.0
    assert tally == Tally(multiplications=3, on_data=2, additions=2)
