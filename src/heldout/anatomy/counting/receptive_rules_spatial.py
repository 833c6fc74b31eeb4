"""What convolutions, poolings, resampling and padding see."""

from fractions import Fraction

from heldout.anatomy.counting.aten_calls import Call, argument_names
from heldout.anatomy.counting.receptive import (
    WHOLE,
    Field,
    Seen,
    adaptive_window,
    resampled,
    shifted,
    transposed_window,
    upscaled,
    window,
)
from heldout.anatomy.counting.receptive_fields import Fields, Rule, mix_axes, nth, on_axis


def convolution(call: Call, fields: Fields) -> list[Field]:
    """Windows over the axes of space; all channels."""
    field = mix_axes(fields.of_argument(call["input"]), [1])
    slide = transposed_window if call["transposed"] else window
    for number, kernel in enumerate(call["weight"].shape[2:]):
        stride, before, dilation = (nth(call[name], number) for name in ("stride", "padding", "dilation"))
        field = on_axis(field, number + 2, slide, kernel, stride=stride, before=before, dilation=dilation)
    return [field]


def pool(call: Call, fields: Fields) -> list[Field]:
    """Windows over the last axes."""
    n_axes = 3 if "3d" in call.name else 2
    field, first = fields.of_argument(call["self"]), call["self"].dim() - n_axes
    dilations = call["dilation"] if "max" in call.name else [1]
    for number in range(n_axes):
        kernel = nth(call["kernel_size"], number)
        stride = nth(call["stride"], number) if call["stride"] else kernel
        before, dilation = nth(call["padding"], number), nth(dilations, number)
        field = on_axis(field, first + number, window, kernel, stride=stride, before=before, dilation=dilation)
    return [field]


def adaptive_pool(call: Call, fields: Fields) -> list[Field]:
    """Windows that part the last axes evenly."""
    data, lengths = call["self"], call["output_size"]
    field, first = fields.of_argument(data), data.dim() - len(lengths)
    for number, n_outputs in enumerate(lengths):
        axis = first + number
        if n_outputs == 1:
            field = mix_axes(field, [axis])
        field = on_axis(field, axis, adaptive_window, data.shape[axis], n_outputs)
    return [field]


def upsample(way: str) -> Rule:
    """The rule of a way of resampling.

    Args:
        way: As `receptive.resampled` names it.
    """

    def rule(call: Call, fields: Fields) -> list[Field]:
        data, lengths = call["self"], call["output_size"]
        field, first = fields.of_argument(data), data.dim() - len(lengths)
        corners = bool(call["align_corners"]) if "align_corners" in argument_names(call.func) else False
        factors = ["scales"] if len(lengths) == 1 else [f"scales_{letter}" for letter in "dhw"[-len(lengths) :]]
        for number, (n_outputs, factor) in enumerate(zip(lengths, factors, strict=True)):
            scale = _scale(data.shape[first + number], n_outputs, call[factor], corners)
            field = on_axis(field, first + number, _resampled, way, scale, corners)
        return [field]

    return rule


def _scale(length: int, n_outputs: int, factor: float | None, corners: bool) -> Fraction:
    """Entries of the input for each of the result."""
    if corners:
        return Fraction(length - 1, n_outputs - 1) if n_outputs > 1 else Fraction(0)
    return 1 / Fraction(factor).limit_denominator(1000) if factor else Fraction(length, n_outputs)


def _resampled(seen: Seen, way: str, scale: Fraction, corners: bool) -> Seen:
    return resampled(seen, way, scale, from_corners=corners) if scale else WHOLE


def pad(call: Call, fields: Fields) -> list[Field]:
    """The last axes begin earlier; beyond the edges places go on as they were."""
    data = call["self"]
    widths = call["pad"] if call.name == "constant_pad_nd" else call["padding"]
    field = fields.of_argument(data)
    for number in range(len(widths) // 2):
        field = on_axis(field, data.dim() - 1 - number, shifted, widths[2 * number])
    return [field]


def shuffle(call: Call, fields: Fields) -> list[Field]:
    """Channels become pixels, or pixels channels."""
    n_dims = call["self"].dim()
    field = mix_axes(fields.of_argument(call["self"]), [n_dims - 3])
    for axis in (n_dims - 2, n_dims - 1):
        if call.name == "pixel_shuffle":
            field = on_axis(field, axis, upscaled, call["upscale_factor"])
        else:
            field = on_axis(field, axis, window, call["downscale_factor"], stride=call["downscale_factor"])
    return [field]
