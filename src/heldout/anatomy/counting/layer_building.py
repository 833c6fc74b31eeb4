"""Modules from layers in words."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from heldout.anatomy.counting.layer_words import LayerWords, shape_words
from heldout.errors import UsageError


class SelfAttention(nn.Module):
    """Attention of a sequence to itself.

    Args:
        n_features: Of every step.
        n_heads: Parts the features are split into.
        bias: Whether the four products have one.
    """

    def __init__(self, n_features: int, n_heads: int, *, bias: bool = True) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(n_features, n_heads, bias=bias, batch_first=True)

    def forward(self, steps: Tensor) -> Tensor:
        """The steps, each mixed of all."""
        mixed: Tensor = self.attention(steps, steps, steps, need_weights=False)[0]
        return mixed


def built(layer: LayerWords, input_shape: Sequence[int] | None, device: str) -> nn.Module:
    """The module of a layer in words.

    Args:
        layer: What to build.
        input_shape: Of one example.
        device: Where its numbers are.

    Raises:
        UsageError: The layer and the input do not fit, or the layer is too large.
    """
    n_axes = _n_axes(layer, input_shape)
    try:
        with torch.device(device):
            return _module(layer, n_axes, input_shape)
    except UsageError:
        raise
    except (RuntimeError, ValueError, OverflowError) as error:
        raise UsageError(
            f"the layer {layer.words!r} cannot be built: {error}",
            expected="settings that torch has a layer for",
            fix="change the setting that it names",
        ) from error


_NORMS = {
    "batchnorm": (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
    "instancenorm": (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
}
_ON_AXES: dict[str, tuple[Any, Any, Any]] = {
    "conv": (nn.Conv1d, nn.Conv2d, nn.Conv3d),
    "transposed": (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    "maxpool": (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
    "avgpool": (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    "globalpool": (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    **_NORMS,
}
_ACTIVATIONS: dict[str, Any] = {
    "relu": nn.ReLU, "relu6": nn.ReLU6, "leakyrelu": nn.LeakyReLU, "gelu": nn.GELU, "silu": nn.SiLU, "elu": nn.ELU,
    "selu": nn.SELU, "mish": nn.Mish, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softplus": nn.Softplus,
    "hardswish": nn.Hardswish, "hardsigmoid": nn.Hardsigmoid,
}  # fmt: skip
_RECURRENT: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def _module(layer: LayerWords, n_axes: int, input_shape: Sequence[int] | None) -> nn.Module:
    if layer.kind in {"conv", "transposed"}:
        return _convolution(layer, n_axes, input_shape)
    if layer.kind in {"maxpool", "avgpool"}:
        return _pool(layer, n_axes, input_shape)
    if layer.kind in _ON_AXES:
        norm_or_pool: nn.Module = _ON_AXES[layer.kind][n_axes - 1](layer.n_inputs or 1)
        return norm_or_pool
    if layer.kind in _RECURRENT:
        return _recurrent(layer)
    if layer.kind in _ACTIVATIONS:
        activation: nn.Module = _ACTIVATIONS[layer.kind]()
        return activation
    others: dict[str, Any] = {
        "linear": lambda: nn.Linear(layer.n_inputs, layer.n_outputs, bias=layer.bias),
        "attention": lambda: SelfAttention(layer.n_inputs, layer.n_heads, bias=layer.bias),
        "embedding": lambda: _embedding(layer),
        "layernorm": lambda: nn.LayerNorm(layer.n_inputs),
        "rmsnorm": lambda: nn.RMSNorm(layer.n_inputs),
        "groupnorm": lambda: nn.GroupNorm(layer.groups, layer.n_inputs),
        "upsample": lambda: nn.Upsample(scale_factor=layer.scale),
        "flatten": nn.Flatten,
        "softmax": lambda: nn.Softmax(dim=1),
    }
    other: nn.Module = others[layer.kind]()
    return other


def _embedding(layer: LayerWords) -> nn.Module:
    # Drawn here: torch's own way of drawing imports its compiler where there is nothing to draw.
    vectors = torch.empty(layer.n_inputs, layer.n_outputs)
    drawn = vectors if vectors.is_meta else vectors.normal_()
    return nn.Embedding(layer.n_inputs, layer.n_outputs, _weight=drawn)


def _convolution(layer: LayerWords, n_axes: int, input_shape: Sequence[int] | None) -> nn.Module:
    settings: dict[str, Any] = {
        "stride": _spread(layer.stride or (1,), n_axes),
        "padding": _spread(layer.padding, n_axes) if layer.padding else "same",
        "dilation": _spread(layer.dilation, n_axes),
        "groups": layer.groups,
        "bias": layer.bias,
    }
    if layer.kind == "transposed":
        settings["output_padding"] = _spread(layer.output_padding, n_axes)
    kernel = _kernel(layer, n_axes, input_shape)
    module: nn.Module = _ON_AXES[layer.kind][n_axes - 1](layer.n_inputs, layer.n_outputs, kernel, **settings)
    return module


def _pool(layer: LayerWords, n_axes: int, input_shape: Sequence[int] | None) -> nn.Module:
    kernel = _kernel(layer, n_axes, input_shape)
    settings: dict[str, Any] = {
        "stride": _spread(layer.stride, n_axes) if layer.stride else kernel,
        "padding": _spread(layer.padding, n_axes),
    }
    if layer.kind == "maxpool":
        settings["dilation"] = _spread(layer.dilation, n_axes)
    module: nn.Module = _ON_AXES[layer.kind][n_axes - 1](kernel, **settings)
    return module


def _recurrent(layer: LayerWords) -> nn.Module:
    settings: dict[str, Any] = {"proj_size": layer.projection} if layer.projection else {}
    module: nn.Module = _RECURRENT[layer.kind](
        layer.n_inputs,
        layer.n_outputs,
        num_layers=layer.n_layers,
        bias=layer.bias,
        bidirectional=layer.bidirectional,
        batch_first=True,
        **settings,
    )
    return module


def _kernel(layer: LayerWords, n_axes: int, input_shape: Sequence[int] | None) -> tuple[int, ...]:
    if layer.kernel:
        return _spread(layer.kernel, n_axes)
    if input_shape is None:
        raise UsageError(
            f"the layer {layer.words!r} has a kernel as large as the input, and there is no input",
            expected="the shape of the input",
            fix="give it, such as 1x64x64, or the kernel as a number",
        )
    return tuple(input_shape[1:])


def _spread(values: tuple[int, ...], n_axes: int) -> tuple[int, ...]:
    return values * n_axes if len(values) == 1 else values


def _n_axes(layer: LayerWords, input_shape: Sequence[int] | None) -> int:
    """How many axes of space there are; the channels stand before them."""
    if layer.kind not in _ON_AXES:
        return 0
    found = layer.n_axes
    if input_shape is not None:
        given = max(1, len(input_shape) - 1)
        fits = given <= 3 and found in {0, given}
        is_norm = layer.kind in _NORMS and len(input_shape) == 1
        if not fits or (len(input_shape) == 1 and not is_norm):
            axes = f"{found} axes" if found else "1 to 3 axes"
            raise UsageError(
                f"the layer {layer.words!r} does not fit the input {shape_words(input_shape)}",
                expected=f"channels and {axes} of space",
                fix="write the input as channels x height x width, such as 1x64x64",
            )
        if layer.n_inputs and input_shape[0] != layer.n_inputs:
            raise UsageError(
                f"the layer {layer.words!r} takes {layer.n_inputs} channels, "
                f"the input {shape_words(input_shape)} has {input_shape[0]}",
                expected="as many channels as the layer takes, in front",
                fix="change the first number of the input or of the layer",
            )
        found = given
    return found or 2
