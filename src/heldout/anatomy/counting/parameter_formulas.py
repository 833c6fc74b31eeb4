"""How many parameters a layer has, as a formula with the numbers filled in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn
from torch.nn.modules.conv import _ConvNd


@dataclass(frozen=True, slots=True)
class Written:
    """A formula, twice.

    Attributes:
        plain: As a terminal shows it.
        latex: Without dollar signs.
    """

    plain: str
    latex: str


@dataclass(frozen=True, slots=True)
class ParameterFormula:
    """Why a layer has as many parameters as it has.

    Attributes:
        symbols: The formula in letters; empty where there is none of this kind.
        filled: With the layer's numbers.
        result: What comes out.
    """

    symbols: Written
    filled: Written
    result: int


# The formula in letters, with numbers, and its value.
Worked = tuple[str, str, int]


def parameter_formula(layer: nn.Module) -> ParameterFormula:
    """The formula of the parameters of one layer.

    Kinds without a formula of their own get the sum of the sizes of their tensors.

    Args:
        layer: A module; its parameters and those of the modules in it.

    Example:
        >>> formula = parameter_formula(nn.Conv2d(1, 96, 8, stride=4))
        >>> formula.symbols.plain, formula.filled.plain, formula.result
        ('(k_h*k_w*C_in + 1)*C_out', '(8*8*1 + 1)*96', 6240)
    """
    own = sum(each.numel() for each in layer.parameters())
    within = _only_part(layer)
    for kind, formula in _FORMULAS:
        if isinstance(within, kind):
            symbols, filled, value = formula(within)
            # A subclass may keep more or less than torch's own layer: then its tensors speak.
            if value == own:
                return ParameterFormula(_written(symbols), _written(filled), own)
    shapes = [tuple(each.shape) for each in layer.parameters()]
    filled = " + ".join("*".join(map(str, shape)) or "1" for shape in shapes) or "0"
    return ParameterFormula(Written("", ""), _written(filled), own)


def _only_part(layer: nn.Module) -> nn.Module:
    """The one module that keeps all parameters, or the layer itself."""
    while not layer._parameters:
        parts = [each for each in layer.children() if any(True for _ in each.parameters())]
        if len(parts) != 1:
            break
        layer = parts[0]
    return layer


def _written(plain: str) -> Written:
    latex = re.sub(r"\b([A-Za-z]+)_([a-z]+|[0-9])\b", r"\1_{\\mathrm{\2}}", plain)
    return Written(plain, latex.replace("*", r" \cdot "))


def _has_bias(layer: nn.Module) -> bool:
    return getattr(layer, "bias", None) is not None


def _convolution(layer: _ConvNd) -> Worked:
    letters = {1: "k", 2: "k_h*k_w", 3: "k_d*k_h*k_w"}[len(layer.kernel_size)]
    numbers = "*".join(map(str, layer.kernel_size))
    n_taps = prod(layer.kernel_size) * layer.in_channels // layer.groups
    parted = layer.groups != 1
    per_output = f"{letters}*C_in" + ("/g" if parted else "")
    filled = f"{numbers}*{layer.in_channels}" + (f"/{layer.groups}" if parted else "")
    if not _has_bias(layer):
        return f"{per_output}*C_out", f"{filled}*{layer.out_channels}", n_taps * layer.out_channels
    return (
        f"({per_output} + 1)*C_out",
        f"({filled} + 1)*{layer.out_channels}",
        (n_taps + 1) * layer.out_channels,
    )


def _linear(layer: nn.Linear) -> Worked:
    n_in, n_out = layer.in_features, layer.out_features
    if not _has_bias(layer):
        return "n_in*n_out", f"{n_in}*{n_out}", n_in * n_out
    return "(n_in + 1)*n_out", f"({n_in} + 1)*{n_out}", (n_in + 1) * n_out


def _bilinear(layer: nn.Bilinear) -> Worked:
    first, second, n_out = layer.in1_features, layer.in2_features, layer.out_features
    if not _has_bias(layer):
        return "n_1*n_2*n_out", f"{first}*{second}*{n_out}", first * second * n_out
    return "(n_1*n_2 + 1)*n_out", f"({first}*{second} + 1)*{n_out}", (first * second + 1) * n_out


def _attention(layer: nn.MultiheadAttention) -> Worked:
    # Queries, keys, values and the output: four square matrices.
    n = layer.embed_dim
    if getattr(layer, "in_proj_bias", None) is None:
        return "4*d*d", f"4*{n}*{n}", 4 * n * n
    return "4*(d + 1)*d", f"4*({n} + 1)*{n}", 4 * (n + 1) * n


def _recurrent(layer: nn.RNNBase) -> Worked:
    gates = {"LSTM": 4, "GRU": 3}.get(layer.mode, 1)
    n_ways = 2 if layer.bidirectional else 1
    hidden, projected = layer.hidden_size, layer.proj_size
    state, state_letter = (projected, "P") if projected else (hidden, "H")
    factor = f"{gates}*" if gates > 1 else ""
    biases = 2 if layer.bias else 0

    def one(inputs_letter: str, inputs: str, n_inputs: int) -> Worked:
        more = f" + {biases}" if biases else ""
        letters = f"{factor}H*({inputs_letter} + {state_letter}{more})"
        filled = f"{factor}{hidden}*({inputs} + {state}{more})"
        value = gates * hidden * (n_inputs + state + biases)
        if projected:
            letters, filled, value = (
                f"({letters} + P*H)",
                f"({filled} + {projected}*{hidden})",
                value + projected * hidden,
            )
        if n_ways > 1:
            letters, filled, value = f"2*{letters}", f"2*{filled}", 2 * value
        return letters, filled, value

    letters, filled, value = one("I", str(layer.input_size), layer.input_size)
    if layer.num_layers == 1:
        return letters, filled, value
    below = (f"2*{state_letter}", f"2*{state}") if n_ways > 1 else (state_letter, str(state))
    upper_letters, upper, upper_value = one(*below, n_ways * state)
    n_upper = layer.num_layers - 1
    return f"{letters} + (L - 1)*{upper_letters}", f"{filled} + {n_upper}*{upper}", value + n_upper * upper_value


def _scale_and_shift(letter: str, count: Callable[[Any], str]) -> Callable[[Any], Worked]:
    def formula(layer: Any) -> Worked:
        n = len(list(layer.parameters()))
        numbers = count(layer)
        value = n * prod(map(int, numbers.split("*")))
        if not n:
            return "0", "0", 0
        factor = f"{n}*" if n > 1 else ""
        return f"{factor}{letter}", f"{factor}{numbers}", value

    return formula


def _embedding(layer: nn.Embedding) -> Worked:
    return "n*d", f"{layer.num_embeddings}*{layer.embedding_dim}", layer.num_embeddings * layer.embedding_dim


_OF_CHANNELS = _scale_and_shift("C", lambda layer: str(layer.num_features))
_OF_SHAPE = _scale_and_shift("n", lambda layer: "*".join(map(str, layer.normalized_shape)))
_FORMULAS: tuple[tuple[Any, Callable[[Any], Worked]], ...] = (
    (_ConvNd, _convolution),
    (nn.Linear, _linear),
    (nn.Bilinear, _bilinear),
    (nn.MultiheadAttention, _attention),
    (nn.RNNBase, _recurrent),
    (nn.modules.batchnorm._NormBase, _OF_CHANNELS),
    (nn.GroupNorm, _scale_and_shift("C", lambda layer: str(layer.num_channels))),
    ((nn.LayerNorm, nn.RMSNorm), _OF_SHAPE),
    (nn.Embedding, _embedding),
)
