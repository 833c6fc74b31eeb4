"""Small layers written out in loops over numbers that count their own multiplications and additions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod, sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

Array = np.ndarray[Any, np.dtype[Any]]

Index = tuple[int, ...]


@dataclass
class Tally:
    """What was computed."""

    multiplications: int = 0
    on_data: int = 0
    additions: int = 0


class Number:
    """A number that counts what is done with it."""

    __slots__ = ("is_padding", "tally", "value")

    def __init__(self, value: float, tally: Tally, *, is_padding: bool = False) -> None:
        self.value, self.tally, self.is_padding = value, tally, is_padding

    def __mul__(self, other: "Number") -> "Number":
        self.tally.multiplications += 1
        self.tally.on_data += not (self.is_padding or other.is_padding)
        return Number(self.value * other.value, self.tally)

    def __add__(self, other: "Number") -> "Number":
        self.tally.additions += 1
        return Number(self.value + other.value, self.tally)


def instrumented(values: Tensor, tally: Tally) -> Array:
    """The entries of a tensor as counting numbers."""
    out = np.empty(tuple(values.shape), object)
    plain = values.detach().numpy()
    for index in np.ndindex(*out.shape):
        out[index] = Number(float(plain[index]), tally)
    return out


def with_zeros(values: Array, before: Sequence[int], after: Sequence[int], tally: Tally) -> Array:
    """The array with zeros of a padding around its axes but the first."""
    shape = tuple(n + low + high for n, low, high in zip(values.shape[1:], before, after, strict=True))
    out = np.empty((len(values), *shape), object)
    for index in np.ndindex(*out.shape):
        inner = tuple(at - low for at, low in zip(index[1:], before, strict=True))
        inside = all(0 <= at < n for at, n in zip(inner, values.shape[1:], strict=True))
        out[index] = values[(index[0], *inner)] if inside else Number(0.0, tally, is_padding=True)
    return out


def summed(terms: Sequence[Number]) -> Number:
    """A sum of n terms takes n - 1 additions."""
    whole = terms[0]
    for term in terms[1:]:
        whole = whole + term
    return whole


def plain(numbers: Array) -> Array:
    """The values alone."""
    return np.array([each.value for each in numbers.ravel()]).reshape(numbers.shape)


class Window(NamedTuple):
    """How the window of a convolution moves, axis by axis."""

    kernel: Index
    stride: Index
    dilation: Index

    def taps(self) -> list[Index]:
        return list(product(*map(range, self.kernel)))

    def reached(self, place: Index, tap: Index) -> Index:
        """Where the window that stands at a place has this tap."""
        return tuple(p * s + t * d for p, s, t, d in zip(place, self.stride, tap, self.dilation, strict=True))


def values(*shape: int) -> Tensor:
    """Numbers that are no zeros and not all alike, the same for the same shape."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(prod(shape)))


class Padded(NamedTuple):
    """A convolution and what it is given."""

    layer: Any
    x: Tensor
    window: Window
    before: Index
    after: Index


def convolved(case: Padded, tally: Tally) -> Array:
    """The definition: a dot product at every place, and the bias."""
    layer, window = case.layer, case.window
    x = with_zeros(instrumented(case.x, tally), case.before, case.after, tally)
    weight = instrumented(layer.weight, tally)
    spans = (d * (k - 1) for k, d in zip(window.kernel, window.dilation, strict=True))
    places = [(n - span - 1) // s + 1 for n, span, s in zip(x.shape[1:], spans, window.stride, strict=True)]
    n_inside, n_of_group = weight.shape[1], len(weight) // layer.groups
    out = np.empty((len(weight), *places), object)
    for channel, *place in np.ndindex(*out.shape):
        first = channel // n_of_group * n_inside
        out[(channel, *place)] = summed(
            [
                x[(first + c, *window.reached(tuple(place), tap))] * weight[(channel, c, *tap)]
                for c in range(n_inside)
                for tap in window.taps()
            ]
        )
    return with_bias(out, layer.bias, tally)


def with_bias(out: Array, bias: Tensor | None, tally: Tally) -> Array:
    """The bias of each channel added to all its places."""
    if bias is not None:
        biases = instrumented(bias, tally)
        for index in np.ndindex(*out.shape):
            out[index] = out[index] + biases[index[0]]
    return out


def convolution_gradients(case: Padded, slope: Tensor, tally: Tally) -> tuple[Array, Array]:
    """Of the weights and of the input: every product of the forward pass has one in each."""
    layer, window = case.layer, case.window
    x = with_zeros(instrumented(case.x, tally), case.before, case.after, tally)
    weight, slopes = instrumented(layer.weight, tally), instrumented(slope, tally)
    of_weight, of_x = np.zeros(weight.shape), np.zeros(x.shape)
    n_inside, n_of_group = weight.shape[1], len(weight) // layer.groups
    for channel, *place in np.ndindex(*slopes.shape):
        first = channel // n_of_group * n_inside
        for c, tap in product(range(n_inside), window.taps()):
            at = (first + c, *window.reached(tuple(place), tap))
            of_weight[(channel, c, *tap)] += (slopes[(channel, *place)] * x[at]).value
            of_x[at] += (slopes[(channel, *place)] * weight[(channel, c, *tap)]).value
    inner = tuple(slice(low, low + n) for low, n in zip(case.before, case.x.shape[1:], strict=True))
    return of_weight, of_x[(slice(None), *inner)]


class Scattered(NamedTuple):
    """A transposed convolution and what it is given."""

    layer: Any
    x: Tensor
    window: Window
    cut: Index
    more: Index


def matmul(left: Array, right: Array) -> Array:
    """Dot products of the rows of the one with the columns of the other."""
    out = np.empty((len(left), right.shape[1]), object)
    for row, column in np.ndindex(*out.shape):
        out[row, column] = summed([left[row, at] * right[at, column] for at in range(len(right))])
    return out


def linear(x: Array, weight: Array, bias: Tensor | None, tally: Tally) -> Array:
    """Rows times the transposed weights, and the bias of each column."""
    return with_bias(matmul(x, weight.T).T, bias, tally).T


def renewed(numbers: Array, change: Callable[[float], float]) -> Array:
    """A function of each number that takes no part in a dot product, and so is not counted here."""
    flat = [Number(change(each.value), each.tally) for each in numbers.ravel()]
    out = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(numbers.shape)


def transposed_products(slope: Array, x: Array) -> Array:
    """The gradient of the weights of a linear layer: slopes of the outputs times inputs, over the rows."""
    return matmul(slope.T, x)


def softmax_rows(scores: Array) -> Array:
    whole = np.exp(plain(scores) - plain(scores).max(axis=1, keepdims=True))
    return np.asarray(whole / whole.sum(axis=1, keepdims=True))


def attended(
    attention: nn.MultiheadAttention, x: Tensor, tally: Tally, backward: Tally
) -> tuple[Array, dict[str, Array]]:
    """The definition, head by head, and its gradients for the slope that `values` gives."""
    n_heads, width = attention.num_heads, attention.embed_dim
    scale = 1 / sqrt(width // n_heads)
    weights = [part.detach() for part in attention.in_proj_weight.chunk(3)]
    in_biases = attention.in_proj_bias
    biases = [None] * 3 if in_biases is None else list(in_biases.detach().chunk(3))
    rows, out = instrumented(x, tally), attention.out_proj
    projected = [linear(rows, instrumented(w, tally), b, tally) for w, b in zip(weights, biases, strict=True)]
    slope = instrumented(values(*x.shape), backward)
    joined, kept = np.empty(x.shape, object), []
    for columns in np.split(np.arange(width), n_heads):
        query, key, value = (part[:, columns] for part in projected)
        shares = softmax_rows(renewed(matmul(renewed(query, lambda q: q * scale), key.T), float))
        joined[:, columns] = matmul(instrumented(torch.from_numpy(shares), tally), value)
        kept.append((columns, query, key, value, shares))
    found = plain(linear(joined, instrumented(out.weight, tally), out.bias, tally))

    transposed_products(slope, instrumented(torch.from_numpy(plain(joined)), backward))  # of the output's weights
    of_joined = matmul(slope, instrumented(out.weight, backward))
    of_projected = [np.empty(x.shape, object) for _ in range(3)]
    for columns, query, key, value, shares in kept:
        q, k, v, p = (
            instrumented(torch.from_numpy(np.array(each)), backward)
            for each in (plain(query), plain(key), plain(value), shares)
        )
        of_shares = plain(matmul(of_joined[:, columns], v.T))
        of_scores = shares * (of_shares - (of_shares * shares).sum(axis=1, keepdims=True)) * scale
        counted_scores = instrumented(torch.from_numpy(of_scores), backward)
        of_projected[0][:, columns] = matmul(counted_scores, k)
        of_projected[1][:, columns] = matmul(counted_scores.T, q)
        of_projected[2][:, columns] = matmul(p.T, of_joined[:, columns])
    x_again = instrumented(x, backward)
    of_weight = [plain(transposed_products(each, x_again)) for each in of_projected]
    of_x = [plain(matmul(each, instrumented(w, backward))) for each, w in zip(of_projected, weights, strict=True)]
    return found, {"weight": np.concatenate(of_weight), "x": np.sum(of_x, axis=0)}


def back_through_time(
    own: dict[str, nn.Parameter], x: Tensor, states: list[Array], tally: Tally, *, of_input: bool
) -> tuple[dict[str, Array], Array]:
    """Step by step from the last; into the state before the first goes no gradient."""
    slope = values(len(x), states[0].shape[1]).numpy()
    from_input, from_state = instrumented(own["weight_ih_l0"], tally), instrumented(own["weight_hh_l0"], tally)
    of_weights = {name: np.zeros(own[name].shape) for name in ("weight_ih_l0", "weight_hh_l0")}
    later, of_x = np.zeros_like(states[0]), np.zeros(tuple(x.shape))
    for step in reversed(range(len(x))):
        before = (slope[step] + later) * (1 - states[step + 1] ** 2)
        slopes = instrumented(torch.from_numpy(before), tally)
        of_weights["weight_ih_l0"] += plain(transposed_products(slopes, instrumented(x[step][None], tally)))
        state = instrumented(torch.from_numpy(states[step]), tally)
        of_weights["weight_hh_l0"] += plain(transposed_products(slopes, state))
        if of_input:
            of_x[step] = plain(matmul(slopes, from_input))[0]
        if step:
            later = plain(matmul(slopes, from_state))
    return of_weights, of_x


def sigmoid(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def lstm_cell(of_input: Array, of_state: Array, state: Array, cell: Array) -> tuple[Array, Array]:
    entry, forget, new, out = np.split(of_input + of_state, 4, axis=1)
    cell = sigmoid(forget) * cell + sigmoid(entry) * np.tanh(new)
    return sigmoid(out) * np.tanh(cell), cell


def gru_cell(of_input: Array, of_state: Array, state: Array, cell: Array) -> tuple[Array, Array]:
    reset, update = np.split(sigmoid((of_input + of_state)[:, : 2 * state.shape[1]]), 2, axis=1)
    n = state.shape[1]
    new = np.tanh(of_input[:, 2 * n :] + reset * of_state[:, 2 * n :])
    return (1 - update) * new + update * state, cell
