"""How each operation of torch hands on what its arguments see of the input."""

from collections.abc import Mapping

from heldout.anatomy.counting import receptive_rules_mixing as mixing
from heldout.anatomy.counting import receptive_rules_spatial as spatial
from heldout.anatomy.counting import receptive_rules_views as views
from heldout.anatomy.counting.aten_calls import Call, is_in_place, is_pointwise
from heldout.anatomy.counting.operation_rules_single import ACTIVATIONS
from heldout.anatomy.counting.receptive_fields import Fields, Rule


def hand_on(call: Call, fields: Fields) -> None:
    """Keep what the results of a call see.

    Args:
        call: With its result.
        fields: What its arguments see.
    """
    if not fields.of_all(call.tensors()):
        for result in call.outputs():
            fields.set(result, None)
        return
    if call.name in _CHANNELS:
        name, axis = _CHANNELS[call.name]
        fields.find_channels(call[name], axis)
    is_spread = is_pointwise(call.func) or call.name in ACTIVATIONS
    try:
        found = _RULES.get(call.name, views.spread if is_spread else views.anything)(call, fields)
    except Call.NoArgument:
        found = views.anything(call, fields)
    for number, result in enumerate(call.outputs()):
        fields.set(result, found[min(number, len(found) - 1)])
    if is_in_place(call.func):
        fields.overwrite(call.result)


# Where each has its channels.
_CHANNELS: Mapping[str, tuple[str, int]] = {
    **dict.fromkeys(("convolution", "_convolution", "native_batch_norm", "native_group_norm"), ("input", 1)),
    **dict.fromkeys(("native_layer_norm", "mkldnn_rnn_layer"), ("input", -1)),
    **dict.fromkeys(("mm", "bmm"), ("self", -1)),
    "addmm": ("mat1", -1),
    **dict.fromkeys(("max_pool2d_with_indices", "avg_pool2d", "_adaptive_avg_pool2d"), ("self", -3)),
    **dict.fromkeys(("max_pool3d_with_indices", "avg_pool3d", "_adaptive_avg_pool3d"), ("self", -4)),
    **{f"upsample_{way}{n}d": ("self", -n - 1) for way in ("nearest", "linear") for n in (1, 2, 3)},
    **dict.fromkeys(("upsample_bilinear2d", "upsample_bicubic2d"), ("self", -3)),
}
_REDUCTIONS = (
    *("sum", "mean", "amax", "amin", "max", "min", "argmax", "argmin", "prod", "any", "all", "var", "std"),
    *("var_mean", "std_mean", "linalg_vector_norm", "logsumexp"),
)
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("convolution", "_convolution"), spatial.convolution),
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices", "avg_pool2d", "avg_pool3d"), spatial.pool),
    **{f"{way}_pool{n}d": spatial.adaptive_pool for way in ("_adaptive_avg", "adaptive_max") for n in (2, 3)},
    **{f"upsample_nearest{n}d": spatial.upsample("nearest") for n in (1, 2, 3)},
    **{f"_upsample_nearest_exact{n}d": spatial.upsample("nearest-exact") for n in (1, 2, 3)},
    **{f"upsample_{way}": spatial.upsample("linear") for way in ("linear1d", "bilinear2d", "trilinear3d")},
    "upsample_bicubic2d": spatial.upsample("cubic"),
    "constant_pad_nd": spatial.pad,
    **{f"{way}_pad{n}d": spatial.pad for way in ("reflection", "replication") for n in (1, 2, 3)},
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), spatial.shuffle),
    **dict.fromkeys(("permute", "transpose", "t"), views.permute),
    **dict.fromkeys(("view", "_unsafe_view", "_reshape_alias"), views.view),
    "as_strided": views.as_strided,
    "expand": views.expand,
    "select": views.select,
    "unbind": views.unbind,
    "slice": views.cut,
    **dict.fromkeys(("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes"), views.split),
    "squeeze": views.squeeze,
    "unsqueeze": views.unsqueeze,
    "cat": views.cat,
    "stack": views.stack,
    "copy": views.copy,
    **dict.fromkeys(("index", "index_select", "gather", "roll", "flip"), views.indexed),
    **dict.fromkeys(("detach", "alias", "lift_fresh", "_to_copy"), views.same("self")),
    **dict.fromkeys(("mm", "bmm"), mixing.product("self", "mat2")),
    "mv": mixing.product("self", "vec"),
    "addmm": mixing.product("mat1", "mat2"),
    "baddbmm": mixing.product("batch1", "batch2"),
    **dict.fromkeys(
        ("_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_fused_attention_overrideable"),
        mixing.attention,
    ),
    **dict.fromkeys(_REDUCTIONS, mixing.reduce),
    **dict.fromkeys(("_softmax", "_log_softmax", "_safe_softmax", "cumsum", "cumprod", "glu"), mixing.along),
    "native_batch_norm": mixing.batch_norm,
    "native_dropout": views.same("input"),
    **dict.fromkeys(("native_layer_norm", "_fused_rms_norm"), mixing.layer_norm),
    "native_group_norm": mixing.group_norm,
    "embedding": views.same("indices"),
}
