"""The shapes of the results of single operations on hollow tensors; `ASK` where anything is unusual."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from heldout.anatomy.counting.aten_calls import Call, argument_names
from heldout.anatomy.counting.hollow_tensors import ASK, broadcast, hollow, hollow_like, is_dense, spread
from heldout.anatomy.counting.windows import output_length, transposed_length


def _select(call: Call) -> Any:
    condition, first, second = call["condition"], call["self"], call["other"]
    both = [each for each in (first, second) if isinstance(each, Tensor)]
    if condition.dtype != torch.bool or len({each.dtype for each in both}) != 1 or not both[0].is_floating_point():
        return ASK
    return spread([condition, *both], both[0].dtype)


def _masked_fill(call: Call) -> Any:
    return spread([call["self"], call["mask"]], call["self"].dtype) if call["self"].is_floating_point() else ASK


# Dot products


def _convolution(call: Call) -> Any:
    data, weight, bias = call["input"], call["weight"], call["bias"]
    transposed, groups = call["transposed"], call["groups"]
    n_axes = weight.dim() - 2
    n_inputs = weight.shape[0] if transposed else weight.shape[1] * groups
    n_outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    if data.dim() != weight.dim() or data.shape[1] != n_inputs or n_outputs % groups or data.dtype != weight.dtype:
        return ASK
    if bias is not None and (tuple(bias.shape) != (n_outputs,) or bias.dtype != data.dtype):
        return ASK
    stride, padding, dilation, more = (
        _on_axes(call[name], n_axes) for name in ("stride", "padding", "dilation", "output_padding")
    )
    if min(stride) < 1 or min(padding) < 0 or min(dilation) < 1 or groups < 1:
        return ASK
    spatial = [
        transposed_length(length, kernel, stride=s, padding=2 * p, dilation=d, more=m)
        if transposed
        else output_length(length, kernel, stride=s, padding=2 * p, dilation=d)
        for length, kernel, s, p, d, m in zip(
            data.shape[2:], weight.shape[2:], stride, padding, dilation, more, strict=True
        )
    ]
    return hollow((data.shape[0], n_outputs, *spatial), data.dtype) if min(spatial, default=1) > 0 else ASK


def _on_axes(values: Sequence[int], n_axes: int) -> Sequence[int]:
    return values if len(values) == n_axes else list(values) * n_axes


def _convolution_backward(call: Call) -> Any:
    wanted = (call["input"], call["weight"], None)
    given = [
        None if not asked else hollow(call["bias_sizes"], call["weight"].dtype) if each is None else hollow_like(each)
        for asked, each in zip(call["output_mask"], wanted, strict=True)
    ]
    return tuple(given)


def _matrix_product(first: str, second: str) -> Callable[[Call], Any]:
    def shape(call: Call) -> Any:
        a, b = call[first], call[second]
        if a.dtype != b.dtype or a.shape[-1] != b.shape[-2] or a.shape[:-2] != b.shape[:-2]:
            return ASK
        if "out_dtype" in call.kwargs:
            return ASK
        result = hollow((*a.shape[:-1], b.shape[-1]), a.dtype)
        if first == "self":
            return result
        fits = broadcast([call["self"].shape, result.shape]) == tuple(result.shape) and call["self"].dtype == a.dtype
        return result if fits else ASK

    return shape


# Normalisation


def _batch_norm(call: Call) -> Any:
    data = call["input"]
    n_channels = data.shape[1]
    if any(each is not None and tuple(each.shape) != (n_channels,) for each in _channel_tensors(call)):
        return ASK
    n_kept = n_channels if call["training"] else 0
    return hollow_like(data), hollow((n_kept,), data.dtype), hollow((n_kept,), data.dtype)


def _channel_tensors(call: Call) -> list[Tensor | None]:
    return [call[name] for name in ("weight", "bias", "running_mean", "running_var")]


def _layer_norm(call: Call) -> Any:
    data, n_axes = call["input"], len(call["normalized_shape"])
    shapes = [tuple(each.shape) for each in (call["weight"], call["bias"]) if each is not None]
    if any(each != tuple(data.shape[data.dim() - n_axes :]) for each in [tuple(call["normalized_shape"]), *shapes]):
        return ASK
    kept = (*data.shape[: data.dim() - n_axes], *(1,) * n_axes)
    return hollow(data.shape, data.dtype), hollow(kept, data.dtype), hollow(kept, data.dtype)


def _group_norm(call: Call) -> Any:
    data, kept = call["input"], (call["N"], call["group"])
    return hollow(data.shape, data.dtype), hollow(kept, data.dtype), hollow(kept, data.dtype)


def _norm_backward(call: Call) -> Any:
    of_input, of_weight, of_bias = call["output_mask"]
    data = call["input"]
    n_axes = len(call["normalized_shape"]) if "layer" in call.name else 0
    kept = data.shape[data.dim() - n_axes :] if n_axes else (data.shape[1],)
    return (
        hollow_like(data) if of_input else None,
        hollow(kept, data.dtype) if of_weight else None,
        hollow(kept, data.dtype) if of_bias else None,
    )


# Pooling and resampling


def _max_pool(call: Call) -> Any:
    result = _pool(call)
    return ASK if result is ASK else (result, hollow(result.shape, torch.int64))


def _pool(call: Call) -> Any:
    data = call["self"]
    n_axes = 3 if "3d" in call.name else 2
    kernel = _on_axes(call["kernel_size"], n_axes)
    stride = _on_axes(call["stride"], n_axes) if call["stride"] else kernel
    padding = _on_axes(call["padding"], n_axes)
    dilation = _on_axes(call["dilation"], n_axes) if "max" in call.name else [1] * n_axes
    halved = all(2 * each <= kernel_size for each, kernel_size in zip(padding, kernel, strict=True))
    if call["ceil_mode"] or data.dim() < n_axes + 1 or min(kernel) < 1 or min(stride) < 1 or not halved:
        return ASK
    spatial = [
        output_length(length, k, stride=s, padding=2 * p, dilation=d)
        for length, k, s, p, d in zip(data.shape[-n_axes:], kernel, stride, padding, dilation, strict=True)
    ]
    return hollow((*data.shape[:-n_axes], *spatial), data.dtype) if min(spatial) > 0 else ASK


def _resampled(call: Call) -> Any:
    data, lengths = call["self"], call["output_size"]
    return hollow((*data.shape[: -len(lengths)], *lengths), data.dtype) if min(lengths) > 0 else ASK


def _padded(call: Call) -> Any:
    data, pad = call["self"], call["pad"]
    n_axes = len(pad) // 2
    if n_axes > data.dim():
        return ASK
    added = [pad[2 * n] + pad[2 * n + 1] for n in reversed(range(n_axes))]
    spatial = [length + more for length, more in zip(data.shape[data.dim() - n_axes :], added, strict=True)]
    return hollow((*data.shape[: data.dim() - n_axes], *spatial), data.dtype) if min(spatial, default=1) > 0 else ASK


# Reductions, softmax, copies


def _reduced(call: Call) -> Any:
    data = call["self"]
    if not data.is_floating_point() or call.kwargs.get("dtype") is not None:
        return ASK
    names = argument_names(call.func)
    axes = call["dim"] if "dim" in names else None
    gone = {axis % data.dim() for axis in (axes or range(data.dim()))} if data.dim() else set()
    kept = call["keepdim"] if "keepdim" in names else False
    shape = [1 if axis in gone else n for axis, n in enumerate(data.shape) if kept or axis not in gone]
    return hollow(shape, data.dtype)


def _softmax(call: Call) -> Any:
    if call.name == "_safe_softmax" and call["dtype"] is not None:
        return ASK
    data = call["self"]
    return (
        hollow(data.shape, data.dtype) if data.is_floating_point() and -data.dim() <= call["dim"] < data.dim() else ASK
    )


def _softmax_backward(call: Call) -> Any:
    return hollow(call["grad_output"].shape, call["grad_output"].dtype)


def _joined(call: Call) -> Any:
    tensors = call["tensors"]
    first = tensors[0]
    axis = call["dim"] % first.dim() if first.dim() else 0
    shapes = {(*each.shape[:axis], -1, *each.shape[axis + 1 :]) for each in tensors}
    if len(shapes) != 1 or len({each.dtype for each in tensors}) != 1 or not first.dim():
        return ASK
    length = sum(each.shape[axis] for each in tensors)
    return hollow((*first.shape[:axis], length, *first.shape[axis + 1 :]), first.dtype)


def _stacked(call: Call) -> Any:
    tensors = call["tensors"]
    first = tensors[0]
    if len({(each.shape, each.dtype) for each in tensors}) != 1:
        return ASK
    axis = call["dim"] % (first.dim() + 1)
    return hollow((*first.shape[:axis], len(tensors), *first.shape[axis:]), first.dtype)


def _copy(call: Call) -> Any:
    data = call["self"]
    given = call.kwargs.get("memory_format")
    if given not in {None, torch.preserve_format, torch.contiguous_format}:
        return ASK
    dtype = call.kwargs.get("dtype") or data.dtype
    if given is torch.contiguous_format or not is_dense(data):
        return hollow(data.shape, dtype)
    return torch.empty_strided(data.shape, data.stride(), dtype=dtype, device="meta")


def _fresh(call: Call) -> Any:
    shape = call["size"]
    dtype = call.kwargs.get("dtype") or (call["self"].dtype if call.name.startswith("new") else None)
    return hollow(shape, dtype or torch.get_default_dtype())


def _embedding(call: Call) -> Any:
    weight, ids = call["weight"], call["indices"]
    if ids.is_floating_point():
        raise TypeError(f"an embedding takes whole numbers, not {ids.dtype}")
    if weight.dim() != 2 or ids.dtype not in {torch.int64, torch.int32}:
        return ASK
    return hollow((*ids.shape, weight.shape[1]), weight.dtype)


def _embedding_backward(call: Call) -> Any:
    return hollow((call["num_weights"], call["grad_output"].shape[-1]), call["grad_output"].dtype)


def _as(name: str) -> Callable[[Call], Any]:
    return lambda call: hollow_like(call[name])


def _of_size(name: str) -> Callable[[Call], Any]:
    return lambda call: hollow(call[name], call["grad_output"].dtype)


def _unsafe_view(call: Call) -> Any:
    data, shape = call["self"], list(call["size"])
    if -1 in shape:
        shape[shape.index(-1)] = prod(data.shape) // -prod(shape)
    return hollow(shape, data.dtype) if prod(shape) == prod(data.shape) else ASK


_WAYS = ("nearest", "linear", "bilinear", "trilinear", "bicubic")
SHAPES: Mapping[str, Callable[[Call], Any]] = {
    "convolution": _convolution,
    "convolution_backward": _convolution_backward,
    "mm": _matrix_product("self", "mat2"),
    "bmm": _matrix_product("self", "mat2"),
    "addmm": _matrix_product("mat1", "mat2"),
    "baddbmm": _matrix_product("batch1", "batch2"),
    "native_batch_norm": _batch_norm,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    **dict.fromkeys(
        ("native_batch_norm_backward", "native_layer_norm_backward", "native_group_norm_backward"), _norm_backward
    ),
    **{f"max_pool{n}d_with_indices": _max_pool for n in (2, 3)},
    **{f"avg_pool{n}d": _pool for n in (2, 3)},
    **{f"_adaptive_avg_pool{n}d": _resampled for n in (2, 3)},
    **{f"upsample_{way}{n}d": _resampled for way in _WAYS for n in (1, 2, 3)},
    **{f"upsample_{way}{n}d_backward": _of_size("input_size") for way in _WAYS for n in (1, 2, 3)},
    **{
        f"{way}{n}d{end}_backward": _as("self")
        for n in (2, 3)
        for way, end in (("max_pool", "_with_indices"), ("avg_pool", ""), ("_adaptive_avg_pool", ""))
    },
    "constant_pad_nd": _padded,
    **dict.fromkeys(("sum", "mean", "amax", "amin"), _reduced),
    **dict.fromkeys(("_softmax", "_log_softmax", "_safe_softmax"), _softmax),
    **dict.fromkeys(("_softmax_backward_data", "_log_softmax_backward_data"), _softmax_backward),
    "cat": _joined,
    "stack": _stacked,
    **dict.fromkeys(("clone", "_to_copy", "empty_like", "zeros_like", "ones_like"), _copy),
    **dict.fromkeys(("new_zeros", "new_empty", "new_ones", "zeros", "ones", "full", "empty"), _fresh),
    **dict.fromkeys(("roll", "flip", "index_put"), lambda call: hollow(call["self"].shape, call["self"].dtype)),
    "_unsafe_view": _unsafe_view,
    "embedding": _embedding,
    "embedding_dense_backward": _embedding_backward,
    **dict.fromkeys(("slice_backward", "select_backward"), _of_size("input_sizes")),
    "where": _select,
    "masked_fill": _masked_fill,
}
