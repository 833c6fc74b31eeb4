"""Hollow results against those of real tensors: every operation of small networks, one by one."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from heldout.anatomy.counting.aten_calls import Call, is_view, tensors_in
from heldout.anatomy.counting.hollow import hollow_result
from heldout.anatomy.counting.hollow_shapes import SHAPES
from heldout.anatomy.counting.hollow_tensors import hollow_like

# Strides are compared too: what can be viewed in another shape depends on them. torch lays these out as it likes.
_ANY_LAYOUT = frozenset({"convolution_backward", "native_layer_norm", "native_group_norm", "embedding_dense_backward"})
# Constants, what differs from a compared one in its number of axes alone, and parts of attention, which come below.
_ELSEWHERE = frozenset(
    [
        *(
            "zeros",
            "ones",
            "full",
            "empty",
            "empty_like",
            "zeros_like",
            "ones_like",
            "new_zeros",
            "new_ones",
            "new_empty",
        ),
        *("upsample_linear1d", "upsample_trilinear3d", "upsample_nearest1d", "upsample_nearest3d"),
        *("upsample_linear1d_backward", "upsample_trilinear3d_backward", "upsample_nearest1d_backward"),
        *("upsample_nearest3d_backward", "baddbmm", "_safe_softmax"),
    ]
)


class Comparing(TorchDispatchMode):
    """Runs everything on real tensors, and on hollow ones beside."""

    def __init__(self, *, layout: bool = True) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.compared: set[str] = set()
        self.layout = layout

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        hollow_args = _hollow(args)
        result = func(*args, **kwargs)
        call = Call(func, hollow_args, {**_hollow(kwargs), **({"device": "meta"} if "device" in kwargs else {})})
        if is_view(func) or not list(call.tensors()):
            return result
        found = hollow_result(call)
        assert len(list(tensors_in((found,)))) == len(list(tensors_in((result,)))), call.name
        for hollow, real in zip(tensors_in((found,)), tensors_in((result,)), strict=True):
            assert hollow.is_meta
            assert (hollow.shape, hollow.dtype) == (real.shape, real.dtype), call.name
            if self.layout and call.name not in _ANY_LAYOUT:
                assert hollow.stride() == real.stride(), call.name
        self.compared.add(call.name)
        return result


def _hollow(value: Any) -> Any:
    if isinstance(value, Tensor):
        return hollow_like(value)
    if isinstance(value, list | tuple):
        return type(value)(map(_hollow, value))
    return {name: _hollow(each) for name, each in value.items()} if isinstance(value, dict) else value


class Everything(nn.Module):
    """Uses each operation whose result is told without torch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, padding=1, stride=2, groups=2)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, output_padding=1)
        self.batch = nn.BatchNorm2d(4)
        self.group = nn.GroupNorm(2, 4)
        self.layer = nn.LayerNorm(6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.embedding = nn.Embedding(5, 6)
        self.conv3 = nn.Conv3d(1, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.gelu(self.batch(self.up(self.conv(x)).relu_()))
        x = functional.hardswish(self.group(x)) * x.sigmoid() + functional.silu(x + 1, inplace=True)
        volume = functional.avg_pool3d(functional.max_pool3d(self.conv3(x[None]), (1, 2, 2)), 1)
        volume = functional.adaptive_avg_pool3d(volume, (1, 3, 3)).mean()
        x = functional.max_pool2d(functional.pad(x, (1, 2, 1, 0)), 3, 2, 1) + volume
        x = functional.interpolate(x, size=(7, 9), mode="bilinear") + functional.interpolate(x, size=(7, 9))
        x = functional.interpolate(functional.avg_pool2d(x, 2, 1), (6, 6), mode="bicubic")
        x = torch.roll(functional.adaptive_avg_pool2d(x, (5, 6)), 1, 2).flip(-1)
        x = torch.where(x > 0, x, 0.1 * x).masked_fill(x > 2, 0.0).clamp(max=3)
        steps = self.layer(x[0]) + self.embedding(torch.tensor([[1, 2, 3, 0, 1]]))
        steps = self.attention(steps, steps, steps)[0].log_softmax(-1).permute(0, 2, 1).exp()
        steps = torch.stack([steps, steps], 1).flatten(1, 2).amax(1) + torch.cat([steps, steps], 1).sum(1)
        steps = steps[torch.tensor([[0]]), 1:].squeeze(0).double().float() - steps.amin(-1, keepdim=True)
        return functional.dropout(steps, 0.5, self.training).clone().t().softmax(0).contiguous()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_hollow_results_have_the_shape_type_and_layout_of_real_ones(
    training: bool, memory: torch.memory_format
) -> None:
    net = Everything().train(training)
    x = torch.randn(1, 4, 8, 9, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=memory)
    with Comparing(layout=memory is torch.contiguous_format) as comparing:
        net(x.requires_grad_()).square().sum().backward()
    missed = {name for name in SHAPES if hasattr(torch.ops.aten, name)} - comparing.compared
    assert not training or missed <= _ELSEWHERE


def test_the_parts_of_attention_are_compared_too() -> None:
    q = torch.randn(1, 2, 5, 4, requires_grad=True)
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with Comparing() as comparing, sdpa_kernel(SDPBackend.MATH):
        functional.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(5, 5)).sum().backward()  # type: ignore[no-untyped-call]
    assert {"bmm", "_safe_softmax", "_softmax_backward_data"} <= comparing.compared
    with Comparing() as comparing:
        torch.baddbmm(torch.zeros(1, 5, 5), q[0], q[0].transpose(1, 2)).sum().backward()  # type: ignore[no-untyped-call]
    assert "baddbmm" in comparing.compared
