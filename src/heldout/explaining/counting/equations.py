"""The formulas of a single layer with its numbers filled in: parameters and multiply-adds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn

from heldout.anatomy.counting.parameter_formulas import parameter_formula
from heldout.explaining.document import Formula

AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True, slots=True)
class Equation:
    """A formula and the number that it gives.

    Attributes:
        about: What it gives, in words.
        formula: In letters, with the numbers filled in, and its value.
        value: The last number in it.
    """

    about: str
    formula: Formula
    value: int


def digits(number: int) -> str:
    """A whole number as LaTeX shows it.

    Example:
        >>> digits(5133600)
        '5{,}133{,}600'
    """
    return f"{number:,}".replace(",", "{,}")


def in_latex(plain: str) -> str:
    r"""A product of letters and numbers as LaTeX.

    Example:
        >>> print(in_latex("k_h*C_in/g"))
        k_{\mathrm{h}} \cdot C_{\mathrm{in}}/g
    """
    return re.sub(r"_([a-z]+)", r"_{\\mathrm{\1}}", plain).replace("*", r" \cdot ")


def equation(about: str, letters: tuple[str, str], numbers: tuple[str, str], value: int) -> Equation:
    """Letters = numbers = value; of each pair the first is for a terminal, the second LaTeX."""
    plain = f"{letters[0]} = {numbers[0]} = {value:,}"
    return Equation(about, Formula(plain, f"{letters[1]} = {numbers[1]} = {digits(value)}"), value)


def times(*factors: int) -> tuple[str, str]:
    """A product of numbers, for a terminal and in LaTeX.

    Example:
        >>> times(20, 46)[0]
        '20*46'
    """
    plain = "*".join(map(str, factors))
    return plain, in_latex(plain)


# Parameters


def parameter_equations(module: nn.Module) -> list[Equation]:
    """How many parameters there are; none where there are none.

    Args:
        module: One layer.
    """
    found = parameter_formula(module)
    if not found.result:
        return []
    letters = found.symbols if found.symbols.plain else None
    filled, result = found.filled, found.result
    if letters is None:
        plain, latex = f"{filled.plain} = {result:,}", f"{filled.latex} = {digits(result)}"
        return [Equation("parameters", Formula(plain, latex), result)]
    return [equation("parameters", (letters.plain, letters.latex), (filled.plain, filled.latex), result)]


def letters_of(module: nn.Module) -> str:
    """What the letters of its multiply-adds stand for.

    Args:
        module: One layer.
    """
    if isinstance(module, CONVOLUTIONS):
        return _CHANNEL_LETTERS + "; a dash marks the output."
    if isinstance(module, TRANSPOSED):
        return _CHANNEL_LETTERS + "; every entry of the input meets the whole kernel."
    if isinstance(module, nn.MultiheadAttention):
        return "T are the steps, d the features of each; the number of heads changes nothing."
    if isinstance(module, nn.RNNBase):
        return (
            "T are the steps, H the entries of the state, I those of the input; gates: 4 of an LSTM, 3 of a GRU, "
            "1 of a plain layer, twice as many where it runs both ways."
        )
    return ""


_CHANNEL_LETTERS = "C are channels, k the kernel along each axis, g the groups"


def takes_a_bias(module: nn.Module) -> bool:
    """Whether each sum of a layer has its own output, to which a bias may be added."""
    return isinstance(module, (*CONVOLUTIONS, nn.Linear))


# Multiply-adds


def product_equations(module: nn.Module, shape: Sequence[int], output: Sequence[int]) -> list[Equation]:
    """The multiply-adds of a layer that takes dot products, the first equation being of all of them.

    Args:
        module: A convolution, a linear layer, attention or a recurrent layer; of others there are none.
        shape: Of the input, without the batch axis.
        output: Of the output, without the batch axis.
    """
    if isinstance(module, CONVOLUTIONS):
        return _convolution(module, output)
    if isinstance(module, TRANSPOSED):
        return _transposed_convolution(module, shape)
    if isinstance(module, nn.Linear):
        return _linear(module, shape)
    if isinstance(module, nn.MultiheadAttention):
        return _attention(module, shape)
    if isinstance(module, nn.RNNBase):
        return _recurrent(module, shape)
    return []


def _kernel_letters(n_axes: int) -> tuple[str, ...]:
    return ("k",) if n_axes == 1 else tuple(f"k_{axis.lower()}" for axis in AXES[n_axes])


def _letters(*names: str) -> tuple[str, str]:
    """A product of letters."""
    plain = "*".join(names)
    return plain, in_latex(plain)


def _plus(left: tuple[str, str], right: tuple[str, str]) -> tuple[str, str]:
    return f"{left[0]} + {right[0]}", f"{left[1]} + {right[1]}"


def _channels(name: str, groups: int) -> str:
    return f"{name}/g" if groups > 1 else name


def _convolution(module: Any, output: Sequence[int]) -> list[Equation]:
    n_axes, inside = len(module.kernel_size), module.in_channels // module.groups
    kernel, axes = _kernel_letters(n_axes), [f"{axis}'" for axis in AXES[n_axes]]
    channels = _channels("C_in", module.groups)
    factors = (*output[1:], inside, *module.kernel_size)
    return [
        equation(
            "multiply-adds",
            _letters("C_out", *axes, channels, *kernel),
            times(module.out_channels, *factors),
            module.out_channels * prod(factors),
        ),
        equation("for one output channel", _letters(*axes, channels, *kernel), times(*factors), prod(factors)),
    ]


def _transposed_convolution(module: Any, shape: Sequence[int]) -> list[Equation]:
    n_axes, inside = len(module.kernel_size), module.out_channels // module.groups
    channels = _channels("C_out", module.groups)
    factors = (module.in_channels, *shape[1:], inside, *module.kernel_size)
    letters = _letters("C_in", *AXES[n_axes], channels, *_kernel_letters(n_axes))
    return [equation("multiply-adds", letters, times(*factors), prod(factors))]


def _linear(module: nn.Linear, shape: Sequence[int]) -> list[Equation]:
    rows = list(shape[:-1])
    factors = (*rows, module.in_features, module.out_features)
    letters = _letters(*(["rows"] if rows else []), "n_in", "n_out")
    return [equation("multiply-adds", letters, times(*factors), prod(factors))]


def _attention(module: nn.MultiheadAttention, shape: Sequence[int]) -> list[Equation]:
    if not module._qkv_same_embed_dim or len(shape) != 2:
        return []
    tokens, width = shape
    letters = _letters("4", "T", "d", "d"), _letters("2", "T", "T", "d")
    numbers = times(4, tokens, width, width), times(2, tokens, tokens, width)
    value = 4 * tokens * width**2 + 2 * tokens**2 * width
    whole = equation("multiply-adds", _plus(*letters), _plus(*numbers), value)
    return [
        whole,
        equation("projections of query, key, value and output", letters[0], numbers[0], 4 * tokens * width**2),
        equation("scores, and their sums of the values", letters[1], numbers[1], 2 * tokens**2 * width),
    ]


def _recurrent(module: nn.RNNBase, shape: Sequence[int]) -> list[Equation]:
    if module.proj_size or len(shape) != 2:
        return []
    directions = 2 if module.bidirectional else 1
    steps, gates, hidden = shape[0], _GATES[module.mode], module.hidden_size
    each = list(_layers(module, steps, directions * gates * hidden, directions))
    if len(each) == 1:
        return each
    sums = " + ".join(f"{one.value:,}" for one in each), " + ".join(digits(one.value) for one in each)
    value = sum(one.value for one in each)
    whole = Formula(f"{sums[0]} = {value:,}", f"{sums[1]} = {digits(value)}")
    return [Equation("multiply-adds of all layers", whole, value), *each]


def _layers(module: nn.RNNBase, steps: int, rows: int, directions: int) -> Iterator[Equation]:
    for number in range(module.num_layers):
        inputs = module.input_size if number == 0 else directions * module.hidden_size
        gates, hidden = rows // module.hidden_size, module.hidden_size
        about = "multiply-adds" if module.num_layers == 1 else f"of layer {number}"
        yield equation(
            about,
            _letters("T", "gates", "H", "(I + H)"),
            (
                f"{steps}*{gates}*{hidden}*({inputs} + {hidden})",
                rf"{steps} \cdot {gates} \cdot {hidden} \cdot ({inputs} + {hidden})",
            ),
            steps * rows * (inputs + hidden),
        )
