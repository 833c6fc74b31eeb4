"""How long each axis of the output of a layer with a window is, as a formula with the numbers filled in.

Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning" (2016), arXiv:1603.07285, with
torch's dilation and output padding.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from heldout.explaining.counting.equations import AXES, CONVOLUTIONS, TRANSPOSED, Equation, equation

_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVERAGE_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)


def shape_equations(module: nn.Module, shape: Sequence[int]) -> list[Equation]:
    """How long each axis of the output is; axes that agree in everything share one formula.

    Args:
        module: A convolution, a transposed one, or a pooling; of others there are none.
        shape: Of the input, without the batch axis.
    """
    window = _window(module, len(shape) - 1)
    if window is None:
        return []
    names = AXES[len(shape) - 1]
    filled: dict[tuple[int, ...], list[str]] = {}
    for name, numbers in zip(names, zip(shape[1:], *window, strict=True), strict=True):
        filled.setdefault(numbers, []).append(name)
    write = _transposed_length if isinstance(module, TRANSPOSED) else _same_length if _is_same(module) else _length
    return [write(axes, *numbers) for numbers, axes in filled.items()]


def _window(module: nn.Module, n_axes: int) -> tuple[tuple[int, ...], ...] | None:
    """Kernel, stride, padding, dilation and what is added at the end, of each axis; None where there is no window."""
    known = (*CONVOLUTIONS, *TRANSPOSED, *_MAX_POOLS, *_AVERAGE_POOLS)
    if not isinstance(module, known) or getattr(module, "ceil_mode", False) or n_axes not in AXES:
        return None
    padding: Any = module.padding
    if isinstance(padding, str):
        padding = 0
    values = (module.kernel_size, module.stride, padding, getattr(module, "dilation", 1))
    more = getattr(module, "output_padding", 0)
    return tuple(_of_axes(value, n_axes) for value in (*values, more))


def _of_axes(value: Any, n_axes: int) -> tuple[int, ...]:
    return (int(value),) * n_axes if isinstance(value, int) else tuple(int(each) for each in value)


def _is_same(module: nn.Module) -> bool:
    return getattr(module, "padding", None) == "same"


def _left_side(axes: Sequence[str]) -> tuple[str, str]:
    return " = ".join(f"{axis}'" for axis in axes), " = ".join(f"{axis}'" for axis in axes)


def _about(axes: Sequence[str]) -> str:
    return f"the output's {' and '.join(axes)}"


def _length(axes: Sequence[str], n: int, k: int, s: int, p: int, d: int, _: int) -> Equation:
    plain, latex = _left_side(axes)
    letter = axes[0]
    value = (n + 2 * p - d * (k - 1) - 1) // s + 1
    return equation(
        _about(axes),
        (
            f"{plain} = floor(({letter} + 2p - d(k - 1) - 1) / s) + 1",
            rf"{latex} = \left\lfloor \frac{{{letter} + 2p - d(k - 1) - 1}}{{s}} \right\rfloor + 1",
        ),
        (
            f"floor(({n} + 2*{p} - {d}*({k} - 1) - 1) / {s}) + 1",
            rf"\left\lfloor \frac{{{n} + 2 \cdot {p} - {d} \cdot ({k} - 1) - 1}}{{{s}}} \right\rfloor + 1",
        ),
        value,
    )


def _same_length(axes: Sequence[str], n: int, k: int, s: int, p: int, d: int, _: int) -> Equation:
    plain, latex = _left_side(axes)
    letter = axes[0]
    zeros = d * (k - 1)
    return equation(
        _about(axes),
        (f"{plain} = {letter} + P - d(k - 1), P = d(k - 1)", rf"{latex} = {letter} + P - d(k - 1),\ P = d(k - 1)"),
        (f"{n} + {zeros} - {d}*({k} - 1)", rf"{n} + {zeros} - {d} \cdot ({k} - 1)"),
        n,
    )


def _transposed_length(axes: Sequence[str], n: int, k: int, s: int, p: int, d: int, more: int) -> Equation:
    plain, latex = _left_side(axes)
    letter = axes[0]
    return equation(
        _about(axes),
        (
            f"{plain} = ({letter} - 1)s - 2p + d(k - 1) + o + 1",
            rf"{latex} = ({letter} - 1)s - 2p + d(k - 1) + o + 1",
        ),
        (
            f"({n} - 1)*{s} - 2*{p} + {d}*({k} - 1) + {more} + 1",
            rf"({n} - 1) \cdot {s} - 2 \cdot {p} + {d} \cdot ({k} - 1) + {more} + 1",
        ),
        (n - 1) * s - 2 * p + d * (k - 1) + more + 1,
    )
