"""What each operation of torch costs: the dot products here, everything else in `operation_rules_single`.

A rule takes a call and gives its `Operations`. Operations without a rule give None, and are named to the reader.
"""

from collections.abc import Callable, Mapping
from math import prod

from torch import Tensor

from heldout.anatomy.counting.aten_calls import Call, size
from heldout.anatomy.counting.counts import Operations
from heldout.anatomy.counting.operation_rules_recurrent import mkldnn_rnn_layer, mkldnn_rnn_layer_backward
from heldout.anatomy.counting.operation_rules_single import single_operations, softmax_backward_cost, softmax_cost
from heldout.anatomy.counting.windows import places_touched, products_inside, products_on_data


def operations_of(call: Call) -> Operations | None:
    """What a call computes, or None where no rule tells.

    Args:
        call: With its result.
    """
    rule = _DOT_PRODUCTS.get(call.name)
    try:
        if rule is not None:
            return rule(call)
        single = single_operations(call)
    except Call.NoArgument:
        return None
    return None if single is None else Operations(other={kind: n for kind, n in single.items() if n})


def dot_products(n_products: int, n_sums: int, *, on_data: int | None = None, **other: int) -> Operations:
    """Operations of `n_products` multiply-adds that go into `n_sums` sums.

    Args:
        n_products: Multiply-adds.
        n_sums: Sums; there is none without a product.
        on_data: Of the products; all of them unless given.
        **other: Other operations by kind, with `_` for a space.
    """
    kinds = {kind.replace("_", " "): n for kind, n in other.items() if n}
    data = n_products if on_data is None else on_data
    return Operations(n_products, data, n_sums if n_products else 0, kinds)


# Convolution


def _convolution(call: Call) -> Operations:
    products, on_data, sums = convolution_products(call)
    biases = size(call.result) if call["bias"] is not None else 0
    return dot_products(products, sums, on_data=on_data, bias_adds=biases)


def _convolution_backward(call: Call) -> Operations:
    products, on_data, _ = convolution_products(call)
    of_input, of_weight, of_bias = call["output_mask"]
    n_passes = of_input + of_weight
    sums = of_input * size(call["input"]) + of_weight * size(call["weight"])
    biases = size(call["grad_output"]) - prod(call["bias_sizes"]) if of_bias else 0
    return dot_products(n_passes * products, sums, on_data=n_passes * on_data, bias_gradients=biases)


def convolution_products(call: Call) -> tuple[int, int, int]:
    """Products of one pass of a convolution, those of them on data, and the sums of the forward pass.

    The window slides over the output; in a transposed convolution, over the input. The gradients of the weight and of
    the input take the same products, in sums of another shape.

    Args:
        call: `convolution` or `convolution_backward`.
    """
    data, weight, transposed = call["input"], call["weight"], call["transposed"]
    result: Tensor = call["grad_output"] if call.name == "convolution_backward" else call.result
    of_channels = data.shape[0] * prod(weight.shape[:2])
    n_axes = weight.dim() - 2
    margins = (call.margins or ())[2:] or ((0, 0),) * n_axes
    slid = data if transposed else result
    products = of_channels * prod(slid.shape[2:]) * prod(weight.shape[2:])
    on_data, touched = of_channels, data.shape[0] * result.shape[1]
    for axis in range(n_axes):
        kernel, length, n_outputs = weight.shape[axis + 2], data.shape[axis + 2], result.shape[axis + 2]
        stride, before, dilation = (_nth(call[name], axis) for name in ("stride", "padding", "dilation"))
        inside = range(margins[axis][0], length - margins[axis][1])
        if transposed:
            on_data *= products_inside(
                inside, kernel, n_outputs=n_outputs, stride=stride, before=before, dilation=dilation
            )
            touched *= places_touched(length, kernel, stride=stride, dilation=dilation)
        else:
            on_data *= products_on_data(
                inside, kernel, n_places=n_outputs, stride=stride, before=before, dilation=dilation
            )
            touched *= n_outputs
    return products, on_data, touched


def _nth(values: list[int], axis: int) -> int:
    return values[axis] if len(values) > 1 else values[0]


# Matrix products. Their backward passes are matrix products again, and are seen as such.


def _matrix_product(first: str, second: str) -> Callable[[Call], Operations]:
    def rule(call: Call) -> Operations:
        rows, columns = call[first], call[second]
        width = columns.shape[-1] if columns.dim() > 1 else 1
        sums = prod(rows.shape[:-1]) * width
        return dot_products(sums * rows.shape[-1], sums)

    return rule


def _with_addend(product: Callable[[Call], Operations], *, bias: bool) -> Callable[[Call], Operations]:
    def rule(call: Call) -> Operations:
        n_added = size(call.result) if call["beta"] else 0
        added = {"bias adds" if bias else "element-wise": n_added} if n_added else {}
        return product(call) + Operations(other=added)

    return rule


def _linear(call: Call) -> Operations:
    rows, weight = call["input"], call["weight"]
    sums = prod(rows.shape[:-1]) * prod(weight.shape[:-1])
    return dot_products(sums * rows.shape[-1], sums, bias_adds=sums if call["bias"] is not None else 0)


def _summed_matrix_product(call: Call) -> Operations:
    n_matrices, n_rows, n_inner = call["batch1"].shape
    sums = n_rows * call["batch2"].shape[-1]
    added = {"element-wise": sums} if call["beta"] else {}
    return dot_products(sums * n_inner * n_matrices, sums) + Operations(other=added)


def _trilinear(call: Call) -> Operations:
    # x_i W_kij y_j: the first two factors are multiplied, and go as one into the multiply-add with the third.
    whole = [1] * (call["i1"].dim() + len(call["expand1"]))
    for number in "123":
        tensor, expanded = call[f"i{number}"], call[f"expand{number}"]
        lengths = iter(tensor.shape)
        whole = [length if axis in expanded else max(length, next(lengths)) for axis, length in enumerate(whole)]
    products = prod(whole)
    return dot_products(products, size(call.result)) + Operations(other={"element-wise": products})


# Attention in one operation. What it computes is what its parts would: the kernels differ in memory, not in arithmetic.


def _attention(call: Call) -> Operations:
    scores, n_rows = _scores(call)
    query, key, value = call["query"], call["key"], call["value"]
    products = scores * (query.shape[-1] + value.shape[-1])
    sums = scores + n_rows * value.shape[-1]
    mask = next((call.kwargs[name] for name in ("attn_mask", "attn_bias") if call.kwargs.get(name) is not None), None)
    heads = prod(query.shape[:-2])
    scaled = heads * (query.shape[-2] + key.shape[-2]) * query.shape[-1]
    other = {"element-wise": scaled + (scores if mask is not None else 0), "softmax": softmax_cost(scores, n_rows)}
    return dot_products(products, sums) + Operations(other=other)


def _attention_backward(call: Call) -> Operations:
    scores, n_rows = _scores(call)
    query, key, value = call["query"], call["key"], call["value"]
    needs = [tensor.requires_grad for tensor in (query, key, value)]
    of_query, of_key, of_value = needs if any(needs) else (True, True, True)
    through = of_query or of_key
    n_value, n_query = of_value + through, of_query + of_key
    products = scores * (n_value * value.shape[-1] + n_query * query.shape[-1])
    sums = through * scores + sum(
        size(tensor) for tensor, need in ((query, of_query), (key, of_key), (value, of_value)) if need
    )
    heads = prod(query.shape[:-2])
    scaled = heads * (of_query * query.shape[-2] + of_key * key.shape[-2]) * query.shape[-1]
    other = {"element-wise": scaled, "softmax": softmax_backward_cost(scores, n_rows) if through else 0}
    return dot_products(products, sums) + Operations(other=other)


def _scores(call: Call) -> tuple[int, int]:
    query, key = call["query"], call["key"]
    n_rows = prod(query.shape[:-1])
    return n_rows * key.shape[-2], n_rows


_mm = _matrix_product("self", "mat2")
_FUSED_ATTENTION = (
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
)
_DOT_PRODUCTS: Mapping[str, Callable[[Call], Operations]] = {
    **dict.fromkeys(("convolution", "_convolution"), _convolution),
    "convolution_backward": _convolution_backward,
    "mm": _mm,
    "bmm": _mm,
    "mv": _matrix_product("self", "vec"),
    "dot": _matrix_product("self", "tensor"),
    "vdot": _matrix_product("self", "other"),
    "addmm": _with_addend(_matrix_product("mat1", "mat2"), bias=True),
    "addmv": _with_addend(_matrix_product("mat", "vec"), bias=True),
    "baddbmm": _with_addend(_matrix_product("batch1", "batch2"), bias=False),
    "addbmm": _summed_matrix_product,
    "linear": _linear,
    "_trilinear": _trilinear,
    "mkldnn_rnn_layer": mkldnn_rnn_layer,
    "mkldnn_rnn_layer_backward": mkldnn_rnn_layer_backward,
    **dict.fromkeys(_FUSED_ATTENTION, _attention),
    **{f"{name}_backward": _attention_backward for name in _FUSED_ATTENTION},
}
