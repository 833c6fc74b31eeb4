"""What is no dot product, counted in single operations: an addition, a comparison, a square root are one each.

`RULES` says in words how each kind is counted. What is done once a channel, a row or a call, such as the square root of
a variance, is left out beside what is done for every entry.
"""

from collections.abc import Callable, Mapping
from math import prod

from torch import Tensor

from heldout.anatomy.counting.aten_calls import Call, argument_names, is_pointwise, is_view, size

# How each kind is counted, forward; then backward where it has a rule of its own.
RULES: Mapping[str, str] = {
    "bias adds": "one addition an output",
    "bias gradients": "the gradients of all outputs of a channel are added: their number less one",
    "batch normalisation": "2 an entry (one multiplication, one addition) in evaluation; 6 in training: mean 1, "
    "variance 3, normalisation 2. Backward 9 an entry in training: 5 for scale and shift, 4 for the input; in "
    "evaluation 5 and 1",
    "instance normalisation": "6 an entry: mean 1, variance 3, normalisation 2; backward 9",
    "layer normalisation": "6 an entry (mean 1, variance 3, normalisation 2), 1 more for the scale and 1 for the "
    "shift; backward 10",
    "group normalisation": "as layer normalisation",
    "rms normalisation": "3 an entry (square, addition, multiplication), 1 more for the scale; backward 8",
    "weight normalisation": "3 an entry of the weight (square, addition, multiplication); backward 5",
    "softmax": "5 an entry (maximum, subtraction, exponential, addition, division) less 2 a row; backward 4 an entry "
    "less 1 a row",
    "log softmax": "5 an entry (maximum, subtraction, exponential, addition, subtraction) less 1 a row; backward 4 an "
    "entry less 1 a row",
    "max pooling": "a comparison for each entry of the window but one; backward one addition an output",
    "average pooling": "the additions of the window and a division: as many as the window has entries; the same "
    "backward",
    "interpolation": "a multiplication for each neighbour and their additions: 3 an output linear, 7 bilinear, 15 "
    "trilinear, 31 bicubic, none to the nearest; backward 2 a neighbour, or 1 to the nearest",
    "recurrent cells": "beside the matrix products, for each step and entry of the state: LSTM 13, GRU 10, plain 2; "
    "the same backward",
    "dropout": "in training a draw and a scaling an entry of the mask, a multiplication an entry; backward 1",
    "random draws": "one an entry",
    "reductions": "a sum, maximum or product of n entries n - 1, a mean n, a variance 4 n, a norm 2 n",
    "gradient sums": "additions of gradients: where a value is used more than once, and over what was broadcast",
    "element-wise": "one an entry of the result: arithmetic, comparison or any function; 2 where a product is added",
}
# An activation is one operation an entry, whatever function it is; forward, and in the backward pass again.
ACTIVATION_RULE = "one an entry, whatever the function; the same backward"

# By the name of the operation.
ACTIVATIONS: Mapping[str, str] = {
    "relu": "relu",
    "threshold": "relu",
    "hardtanh": "hardtanh",
    "leaky_relu": "leaky relu",
    "_prelu_kernel": "prelu",
    "rrelu_with_noise": "rrelu",
    "log_sigmoid_forward": "log sigmoid",
    "log_sigmoid": "log sigmoid",
    **{name: name for name in ("gelu", "silu", "sigmoid", "tanh", "elu", "mish", "softplus", "hardswish")},
    **{name: name for name in ("hardsigmoid", "hardshrink", "softshrink")},
}
# What only lays numbers elsewhere, makes constants, or looks something up.
_COPIES: frozenset[str] = frozenset(
    [
        *("clone", "copy", "_to_copy", "_unsafe_view", "_reshape_copy", "_reshape_alias", "lift", "lift_fresh"),
        *("contiguous", "detach", "resize", "set"),
        *("empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided", "zeros"),
        *("zeros_like", "new_zeros", "zero"),
        *("ones", "ones_like", "new_ones", "full", "full_like", "new_full", "fill", "arange", "linspace", "eye"),
        *("scalar_tensor", "randperm"),
        *("cat", "stack", "repeat", "repeat_interleave", "expand", "view", "permute", "transpose", "t", "squeeze"),
        *("unsqueeze", "swapaxes", "as_strided"),
        *("index", "index_select", "gather", "scatter", "masked_select", "select"),
        *("slice", "select_scatter", "slice_scatter"),
        *("select_backward", "slice_backward", "split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes"),
        *("split_with_sizes_copy", "unbind"),
        *("roll", "flip", "rot90", "tril", "triu", "tril_indices", "triu_indices", "diag_embed", "one_hot"),
        *("unfold_copy", "im2col"),
        *("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "replication_pad1d"),
        *("replication_pad2d",),
        *(
            "replication_pad3d",
            "embedding",
            "pixel_shuffle",
            "pixel_unshuffle",
            "channel_shuffle",
            "native_channel_shuffle",
        ),
        *("_pack_padded_sequence",),
        *("_local_scalar_dense", "equal", "is_same_size", "nonzero", "isin", "bucketize", "searchsorted"),
        *("_fused_sdp_choice",),
    ]
)


def single_operations(call: Call) -> Mapping[str, int] | None:
    """Single operations of a call by kind; empty for views and copies, None where no rule tells.

    Args:
        call: With its result.
    """
    if call.name in _COPIES or is_view(call.func) or _is_a_count(call):
        return {}
    name = call.name
    forward_name = name.removesuffix("_backward").removesuffix("_backward_data")
    if forward_name in ACTIVATIONS:
        return {ACTIVATIONS[forward_name]: size(call.result)}
    rule = _RULES.get(name)
    if rule is not None:
        kind, cost = rule
        return {kind: cost(call)}
    return {"element-wise": size(call.result)} if is_pointwise(call.func) else None


def softmax_cost(n_entries: int, n_rows: int) -> int:
    """Operations of a softmax over rows.

    Args:
        n_entries: In all rows.
        n_rows: Each is a distribution.
    """
    return 5 * n_entries - 2 * n_rows


def softmax_backward_cost(n_entries: int, n_rows: int) -> int:
    """Operations of the gradient of a softmax: s (g - sum s g).

    Args:
        n_entries: In all rows.
        n_rows: Each is a distribution.
    """
    return 4 * n_entries - n_rows


def _is_a_count(call: Call) -> bool:
    # A step counter, such as the one of a batch normalisation, is no arithmetic of the network.
    results = list(call.outputs())
    return bool(results) and all(each.dim() == 0 and not _is_real(each) for each in results)


def _is_real(tensor: Tensor) -> bool:
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


# Costs. Each takes a call with its result.


def _an_output(n: int) -> Callable[[Call], int]:
    return lambda call: n * size(call.result)


def _an_entry(name: str, n: int = 1) -> Callable[[Call], int]:
    return lambda call: n * size(call[name])


def _rows(tensor: Tensor, axis: int) -> int:
    return size(tensor) // tensor.shape[axis] if tensor.dim() and tensor.shape[axis] else 0


def _softmax(call: Call) -> int:
    return softmax_cost(size(call.result), _rows(call.result, call["dim"]))


def _log_softmax(call: Call) -> int:
    return 5 * size(call.result) - _rows(call.result, call["dim"])


def _softmax_backward(call: Call) -> int:
    return softmax_backward_cost(size(call.result), _rows(call.result, call["dim"]))


def _batch_norm(call: Call) -> int:
    training = call["train"] if call.name == "cudnn_batch_norm" else call["training"]
    return size(call["input"]) * (6 if training else 2)


def _batch_norm_backward(call: Call) -> int:
    of_input, *of_affine = call["output_mask"]
    n = size(call["input"])
    each: int = 5 + 4 * of_input if call["train"] else of_input + 5 * any(of_affine)
    return n * each


def _affine_norm(n: int) -> Callable[[Call], int]:
    def cost(call: Call) -> int:
        affine = [call[name] for name in ("weight", "bias") if name in argument_names(call.func)]
        return size(call["input"]) * (n + sum(each is not None for each in affine))

    return cost


def _pooled(call: Call) -> int:
    kernel: list[int] = call["kernel_size"]
    return prod(kernel) if len(kernel) > 1 else prod(kernel * _pool_axes(call.name))


def _pool_axes(name: str) -> int:
    return int(next(letter for letter in name if letter.isdigit()))


def _adaptive_products(data: Tensor, result: Tensor, n_axes: int) -> int:
    # The windows of adaptive pooling go from floor(i L / n) to ceil((i + 1) L / n); they may overlap.
    whole = prod(data.shape[:-n_axes])
    for length, n in zip(data.shape[-n_axes:], result.shape[-n_axes:], strict=True):
        whole *= sum(-((place + 1) * length // -n) - place * length // n for place in range(n))
    return whole


def _adaptive_average(call: Call) -> int:
    return _adaptive_products(call["self"], call.result, _pool_axes(call.name))


def _adaptive_average_backward(call: Call) -> int:
    return _adaptive_products(call["self"], call["grad_output"], _pool_axes(call.name))


def _adaptive_max(call: Call) -> int:
    return _adaptive_average(call) - size(call.result)


def _summed(call: Call) -> int:
    return max(0, size(call["self"]) - size(call.result))


def _extreme(call: Call) -> int:
    # max(a, b) of two tensors is element-wise; max(a) and max(a, axis) reduce.
    return size(call.result) if "other" in argument_names(call.func) else _summed(call)


def _scaled_addition(call: Call) -> int:
    return size(call.result) * (1 if call["alpha"] == 1 else 2)


def _written(call: Call) -> int:
    # The gradient of what was taken by index: added up where it may have been taken twice.
    return size(call["values"]) if call["accumulate"] else 0


def _shrunk(call: Call) -> int:
    return size(call["grad_output"]) - size(call.result)


_TAPS = {"linear1d": 2, "bilinear2d": 4, "trilinear3d": 8, "bicubic2d": 16}
_RULES: Mapping[str, tuple[str, Callable[[Call], int]]] = {
    "add": ("element-wise", _scaled_addition),
    "sub": ("element-wise", _scaled_addition),
    "rsub": ("element-wise", _scaled_addition),
    "addcmul": ("element-wise", _an_output(2)),
    "addcdiv": ("element-wise", _an_output(2)),
    "lerp": ("element-wise", _an_output(3)),
    "masked_fill": ("element-wise", _an_output(1)),
    "glu": ("element-wise", _an_output(2)),
    "glu_backward": ("element-wise", _an_output(2)),
    **dict.fromkeys(("maximum", "minimum"), ("element-wise", _an_output(1))),
    **dict.fromkeys(("max", "min"), ("reductions", _extreme)),
    **dict.fromkeys(("sum", "amax", "amin", "argmax", "argmin", "prod", "any", "all"), ("reductions", _summed)),
    **dict.fromkeys(
        ("cumsum", "cumprod"), ("reductions", lambda call: size(call["self"]) - _rows(call["self"], call["dim"]))
    ),
    "mean": ("reductions", _an_entry("self")),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), ("reductions", _an_entry("self", 4))),
    **dict.fromkeys(("linalg_vector_norm", "norm"), ("reductions", _an_entry("self", 2))),
    **dict.fromkeys(("_softmax", "_safe_softmax"), ("softmax", _softmax)),
    "_log_softmax": ("log softmax", _log_softmax),
    "logsumexp": ("log softmax", _an_entry("self", 4)),
    "_softmax_backward_data": ("softmax", _softmax_backward),
    "_log_softmax_backward_data": ("log softmax", _softmax_backward),
    **dict.fromkeys(
        ("native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm"), ("batch normalisation", _batch_norm)
    ),
    "native_batch_norm_backward": ("batch normalisation", _batch_norm_backward),
    "native_layer_norm": ("layer normalisation", _affine_norm(6)),
    "native_layer_norm_backward": ("layer normalisation", _an_entry("input", 10)),
    "native_group_norm": ("group normalisation", _affine_norm(6)),
    "native_group_norm_backward": ("group normalisation", _an_entry("input", 10)),
    "_fused_rms_norm": ("rms normalisation", _affine_norm(3)),
    "_fused_rms_norm_backward": ("rms normalisation", _an_entry("input", 8)),
    "_weight_norm_interface": ("weight normalisation", _an_entry("v", 3)),
    "_weight_norm_interface_backward": ("weight normalisation", _an_entry("saved_v", 5)),
    "native_dropout": ("dropout", _an_output(3)),
    "native_dropout_backward": ("dropout", _an_output(1)),
    **dict.fromkeys(
        ("bernoulli", "rand", "randn", "rand_like", "randn_like", "uniform", "normal", "randint", "exponential"),
        ("random draws", _an_output(1)),
    ),
    **{
        f"max_pool{n}d_with_indices": ("max pooling", lambda call: (_pooled(call) - 1) * size(call.result))
        for n in (2, 3)
    },
    **{f"max_pool{n}d_with_indices_backward": ("max pooling", _an_entry("grad_output")) for n in (2, 3)},
    **{f"avg_pool{n}d": ("average pooling", lambda call: _pooled(call) * size(call.result)) for n in (2, 3)},
    **{
        f"avg_pool{n}d_backward": ("average pooling", lambda call: _pooled(call) * size(call["grad_output"]))
        for n in (2, 3)
    },
    **{f"_adaptive_avg_pool{n}d": ("average pooling", _adaptive_average) for n in (2, 3)},
    **{f"_adaptive_avg_pool{n}d_backward": ("average pooling", _adaptive_average_backward) for n in (2, 3)},
    **{f"adaptive_max_pool{n}d": ("max pooling", _adaptive_max) for n in (2, 3)},
    **{f"adaptive_max_pool{n}d_backward": ("max pooling", _an_entry("grad_output")) for n in (2, 3)},
    **{f"upsample_{way}": ("interpolation", _an_output(2 * taps - 1)) for way, taps in _TAPS.items()},
    **{
        f"upsample_{way}_backward": ("interpolation", _an_entry("grad_output", 2 * taps)) for way, taps in _TAPS.items()
    },
    **{
        f"{way}{n}d": ("interpolation", _an_output(0))
        for way in ("upsample_nearest", "_upsample_nearest_exact")
        for n in (1, 2, 3)
    },
    **{
        f"{way}{n}d_backward": ("interpolation", _an_entry("grad_output"))
        for way in ("upsample_nearest", "_upsample_nearest_exact")
        for n in (1, 2, 3)
    },
    **dict.fromkeys(("index_put", "_index_put_impl"), ("gradient sums", _written)),
    "embedding_dense_backward": ("gradient sums", _an_entry("grad_output")),
    **{
        f"{way}_pad{n}d_backward": ("gradient sums", _shrunk)
        for way in ("reflection", "replication")
        for n in (1, 2, 3)
    },
    "scatter_add": ("element-wise", _an_entry("src")),
    "index_add": ("element-wise", _an_entry("source")),
    "nll_loss_forward": ("reductions", _an_entry("target")),
    "nll_loss_backward": ("gradient sums", _an_output(0)),
    "mse_loss": ("reductions", _an_entry("self", 3)),
    "mse_loss_backward": ("element-wise", _an_output(2)),
    "col2im": ("element-wise", _an_entry("self")),
}
