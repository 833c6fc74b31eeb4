"""3x3 convolutions of stride 1 by Winograd's minimal filtering F(4x4, 3x3), for CPUs that compute in 32 bits.

The map is cut into tiles of 4x4 outputs, each from 6x6 inputs. In a transformed space a tile is 36 products a pair of
channels, where the plain sum has 144:

    output = A' [ (G kernel G') . (B' input B) ] A        . is elementwise, summed over the input channels as 36
                                                          matrix products over all tiles

Forward, and both gradients as its exact transposes. Rounding errors are about 1e-5 of the largest output,
ten times those of the plain sum. Maps are channels last, so each transform is a few sums of large slices.

Source: Winograd 1980; Lavin and Gray 2015, arXiv:1509.09308, sections 4.1 to 4.3, with their A, B and G.

Measured here, 2026-11-22 (one thread of Zen 3, torch 2.13.0, 32 pictures of 224 pixels): forward and backward through
the convolutions of ResNet-18's four stages take 0.70, 0.54, 0.56 and 0.47 of oneDNN's time in the four stages.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

TILE = 4  # outputs of a tile, in each direction
WIDE = 6  # inputs of a tile, in each direction
# G of the paper, and its product with itself: 3x3 kernels as vectors of 9 -> 36 numbers.
_G = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
_KERNEL_TRANSFORM = torch.kron(_G, _G).contiguous()
# Pictures are taken in groups whose transformed inputs have at most so many numbers (16 MiB), which stay in the caches.
_GROUP_NUMBERS = 2**22
# With fewer input channels the transforms cost more than the products save in the forward pass (measured as above).
_LEAST_CHANNELS_FORWARD = 128
_LEAST_CHANNELS = 64

Map = Float32[Tensor, "pictures rows columns channels"]


def is_suitable(module: nn.Module) -> bool:
    """Whether `convolve` can take the place of this module, and would be faster at usual sizes of maps."""
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (3, 3)
        and module.stride == (1, 1)
        and module.padding == (1, 1)
        and module.dilation == (1, 1)
        and module.groups == 1
        and module.padding_mode == "zeros"
        and min(module.in_channels, module.out_channels) >= _LEAST_CHANNELS
    )


def convolve(
    weight: Float32[Tensor, "n_out n_in 3 3"],
    inputs: Float32[Tensor, "batch n_in rows columns"],
    bias: Float32[Tensor, " n_out"] | None = None,
) -> Float32[Tensor, "batch n_out rows columns"]:
    """The 3x3 convolution of stride 1 and padding 1, channels last in memory.

    Example:
        >>> inputs, weight = torch.rand(1, 2, 5, 7), torch.rand(3, 2, 3, 3)
        >>> torch.allclose(convolve(weight, inputs), functional.conv2d(inputs, weight, padding=1), atol=1e-5)
        True
    """
    out: Tensor = _Convolution.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
    return out


class _Convolution(torch.autograd.Function):
    """The convolution and its gradients; between the two it keeps what the plain convolution keeps."""

    @staticmethod
    def forward(context: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        context.save_for_backward(inputs, weight)
        if weight.shape[1] < _LEAST_CHANNELS_FORWARD:
            return functional.conv2d(inputs, weight, bias, padding=1)
        kernels = _transformed_kernels(weight).transpose(1, 2)
        maps = inputs.permute(0, 2, 3, 1)
        shape = (len(inputs), weight.shape[0], *inputs.shape[2:])
        whole = torch.empty(shape, dtype=inputs.dtype, memory_format=torch.channels_last)
        out = whole.permute(0, 2, 3, 1)
        for group in _groups(maps, weight):
            products = torch.bmm(_spread_inputs(maps[group]), kernels)
            outputs = _gather_outputs(products, out[group])
            out[group] = outputs if bias is None else outputs.add_(bias)
        return whole  # and no view, which no layer after this one could change in place

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        inputs, weight = context.saved_tensors
        maps, slopes = inputs.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)
        kernels = _transformed_kernels(weight)
        of_kernels = torch.zeros_like(kernels)
        of_maps = maps.new_empty(maps.shape) if context.needs_input_grad[0] else None
        for group in _groups(maps, weight):
            spread = _spread_gradients(slopes[group])
            of_kernels.baddbmm_(spread.transpose(1, 2), _spread_inputs(maps[group]))
            if of_maps is not None:
                of_maps[group] = _gather_gradients(torch.bmm(spread, kernels), maps[group])
        n_out, n_in = weight.shape[:2]
        of_weight = (_KERNEL_TRANSFORM.T @ of_kernels.view(WIDE * WIDE, -1)).view(3, 3, n_out, n_in)
        of_bias = slopes.sum((0, 1, 2)) if context.needs_input_grad[2] else None
        return None if of_maps is None else of_maps.permute(0, 3, 1, 2), of_weight.permute(2, 3, 0, 1), of_bias


def _groups(maps: Map, weight: Tensor) -> list[slice]:
    n_tiles = -(-maps.shape[1] // TILE) * -(-maps.shape[2] // TILE)
    size = max(1, _GROUP_NUMBERS // (WIDE * WIDE * n_tiles * max(weight.shape[:2])))
    return [slice(start, min(start + size, len(maps))) for start in range(0, len(maps), size)]


def _transformed_kernels(weight: Float32[Tensor, "n_out n_in 3 3"]) -> Float32[Tensor, "36 n_out n_in"]:
    n_out, n_in = weight.shape[:2]
    return (_KERNEL_TRANSFORM @ weight.permute(2, 3, 0, 1).reshape(9, -1)).view(WIDE * WIDE, n_out, n_in)


def _tiles(maps: Map) -> tuple[int, int, int]:
    """Pictures, rows of tiles, columns of tiles."""
    return maps.shape[0], -(-maps.shape[1] // TILE), -(-maps.shape[2] // TILE)


def _places(n_tiles: int) -> list[slice]:
    """For each place among the 6 inputs of a tile: where it is in all tiles of a row; tiles overlap by two."""
    return [slice(place, place + TILE * (n_tiles - 1) + 1, TILE) for place in range(WIDE)]


def _spread_inputs(maps: Map) -> Float32[Tensor, "36 tiles channels"]:
    """B' input B of every tile."""
    n, n_rows, n_columns = _tiles(maps)
    height, width, n_channels = maps.shape[1:]
    padded = maps.new_empty(n, TILE * n_rows + 2, TILE * n_columns + 2, n_channels)
    padded[:, 1 : height + 1, 1 : width + 1] = maps
    for border in (padded[:, :1], padded[:, height + 1 :], padded[:, :, :1], padded[:, :, width + 1 :]):
        border.zero_()
    half = maps.new_empty(WIDE, n, n_rows, padded.shape[2], n_channels)
    _b_transposed([padded[:, place] for place in _places(n_rows)], half.unbind(0))
    out = maps.new_empty(WIDE, WIDE, n, n_rows, n_columns, n_channels)
    _b_transposed([half[:, :, :, place] for place in _places(n_columns)], out.unbind(1))
    return out.view(WIDE * WIDE, -1, n_channels)


def _gather_gradients(products: Float32[Tensor, "36 tiles channels"], like: Map) -> Map:
    """The transpose of `_spread_inputs`: B product B' of every tile, summed where tiles overlap."""
    n, n_rows, n_columns = _tiles(like)
    height, width, n_channels = like.shape[1:]
    half = like.new_empty(WIDE, n, n_rows, TILE * n_columns + 2, n_channels)
    half[:, :, :, -2:] = 0  # beyond the last tile nothing is set, only added
    tiles = products.view(WIDE, WIDE, n, n_rows, n_columns, n_channels)
    _b_added(tiles.unbind(1), [half[:, :, :, place] for place in _places(n_columns)])
    padded = like.new_empty(n, TILE * n_rows + 2, half.shape[3], n_channels)
    padded[:, -2:] = 0
    _b_added(half.unbind(0), [padded[:, place] for place in _places(n_rows)])
    return padded[:, 1 : height + 1, 1 : width + 1]


def _gather_outputs(products: Float32[Tensor, "36 tiles channels"], like: Map) -> Map:
    """A' product A of every tile, put together to maps of the size of `like`."""
    n, n_rows, n_columns = _tiles(like)
    height, width, n_channels = like.shape[1:]
    half = products.new_empty(TILE, WIDE, n, n_rows, n_columns, n_channels)
    _a_transposed(products.view(WIDE, *half.shape[1:]).unbind(0), half.unbind(0))
    out = products.new_empty(n, n_rows, TILE, n_columns, TILE, n_channels)
    _a_transposed(half.unbind(1), [part.permute(2, 0, 1, 3, 4) for part in out.unbind(4)])
    return out.view(n, TILE * n_rows, TILE * n_columns, n_channels)[:, :height, :width]


def _spread_gradients(slopes: Map) -> Float32[Tensor, "36 tiles channels"]:
    """The transpose of `_gather_outputs`: A slope A' of every tile."""
    n, n_rows, n_columns = _tiles(slopes)
    height, width, n_channels = slopes.shape[1:]
    whole = functional.pad(slopes, (0, 0, 0, TILE * n_columns - width, 0, TILE * n_rows - height))
    rows = whole.reshape(n, n_rows, TILE, TILE * n_columns, n_channels)
    half = slopes.new_empty(WIDE, n, n_rows, TILE * n_columns, n_channels)
    _a(rows.unbind(2), half.unbind(0))
    out = slopes.new_empty(WIDE, WIDE, n, n_rows, n_columns, n_channels)
    _a(half.view(WIDE, n, n_rows, n_columns, TILE, n_channels).unbind(4), out.unbind(1))
    return out.view(WIDE * WIDE, -1, n_channels)


# The four one-dimensional transforms, each a product with a small matrix written out in as few passes as it takes. The
# comments show the matrix; what is computed first and used twice is held in an output that is not yet needed.


def _b_transposed(x: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """B' of 6 inputs -> 6 numbers.

    4  0 -5  0  1  0
    0 -4 -4  1  1  0
    0  4 -4 -1  1  0
    0 -2 -1  2  1  0
    0  2 -1 -2  1  0
    0  4  0 -5  0  1
    """
    torch.add(x[4], x[2], alpha=-4, out=out[1])
    torch.add(x[3], x[1], alpha=-4, out=out[0])
    torch.sub(out[1], out[0], out=out[2])
    out[1].add_(out[0])
    torch.sub(x[4], x[2], out=out[3])
    torch.sub(x[3], x[1], out=out[0])
    torch.add(out[3], out[0], alpha=-2, out=out[4])
    out[3].add_(out[0], alpha=2)
    torch.add(x[4], x[2], alpha=-5, out=out[0])
    out[0].add_(x[0], alpha=4)
    torch.add(x[5], x[3], alpha=-5, out=out[5])
    out[5].add_(x[1], alpha=4)


def _b_added(x: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """B of 6 numbers: the first 4 results are set, the last 2 added to what the next tile has set there."""
    sum_12, sum_34 = x[1] + x[2], x[3] + x[4]
    torch.mul(x[0], 4, out=out[0])
    torch.add(sum_34, x[0], alpha=5, out=out[2])
    out[2].add_(sum_12, alpha=4).neg_()
    fourth = sum_12 + sum_34
    fourth.add_(x[0])
    difference_12 = torch.sub(x[1], x[2], out=sum_12)
    difference_34 = torch.sub(x[3], x[4], out=sum_34)
    torch.add(difference_12, difference_34, alpha=2, out=out[3])
    out[3].add_(x[5], alpha=-5)
    torch.sub(x[5], difference_12, out=out[1])
    out[1].mul_(4).add_(difference_34, alpha=-2)
    out[4].add_(fourth)
    out[5].add_(x[5])


def _a_transposed(x: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """A' of 6 numbers -> 4 outputs.

    1  1  1  1  1  0
    0  1 -1  2 -2  0
    0  1  1  4  4  0
    0  1 -1  8 -8  1
    """
    sum_12, sum_34 = x[1] + x[2], x[3] + x[4]
    torch.add(sum_12, sum_34, out=out[0])
    out[0].add_(x[0])
    torch.add(sum_12, sum_34, alpha=4, out=out[2])
    difference_12 = torch.sub(x[1], x[2], out=sum_12)
    difference_34 = torch.sub(x[3], x[4], out=sum_34)
    torch.add(difference_12, difference_34, alpha=2, out=out[1])
    torch.add(difference_12, difference_34, alpha=8, out=out[3])
    out[3].add_(x[5])


def _a(x: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """A of 4 slopes -> 6 numbers."""
    out[0].copy_(x[0])
    out[5].copy_(x[3])
    odd = x[1] + x[3]
    torch.add(x[0], x[2], out=out[1])
    torch.sub(out[1], odd, out=out[2])
    out[1].add_(odd)
    torch.add(x[1], x[3], alpha=4, out=odd)
    torch.add(x[0], x[2], alpha=4, out=out[3])
    torch.add(out[3], odd, alpha=-2, out=out[4])
    out[3].add_(odd, alpha=2)
