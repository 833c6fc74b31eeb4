"""Hollow tensors: shapes without numbers, that take no memory. They are torch's own meta tensors."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

# What stands for "ask torch": it knows the result, or which error to raise.
ASK = object()


def hollow(shape: Iterable[int], dtype: torch.dtype) -> Tensor:
    """A hollow tensor.

    Args:
        shape: Its shape.
        dtype: Of what would be its numbers.
    """
    return torch.empty(tuple(shape), dtype=dtype, device="meta")


def hollow_like(tensor: Tensor) -> Tensor:
    """A hollow tensor that lies in memory as another does; it takes no gradient.

    Args:
        tensor: Of any device.
    """
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def broadcast(shapes: Sequence[Sequence[int]]) -> tuple[int, ...] | None:
    """The shape that several are spread to, or None where they do not fit.

    Args:
        shapes: Aligned at their last axes.

    Example:
        >>> broadcast([(5, 1, 3), (4, 1)]), broadcast([(2,), (3,)])
        ((5, 4, 3), None)
    """
    n_axes = max(map(len, shapes))
    padded = [(1,) * (n_axes - len(shape)) + tuple(shape) for shape in shapes]
    lengths = [{length for length in axis if length != 1} for axis in zip(*padded, strict=True)]
    if any(len(each) > 1 for each in lengths):
        return None
    return tuple(each.pop() if each else 1 for each in lengths)


def spread(tensors: Sequence[Tensor], dtype: torch.dtype) -> Any:
    """The hollow result of an operation on entries at the same place, or `ASK`.

    Args:
        tensors: Spread to one shape.
        dtype: Of the result.
    """
    shape = broadcast([each.shape for each in tensors])
    if shape is None:
        return ASK
    if all(each.is_contiguous() and each.shape == shape for each in tensors):
        return hollow(shape, dtype)
    return torch.empty_strided(shape, _strides(tensors, shape), dtype=dtype, device="meta")


def _strides(tensors: Sequence[Tensor], shape: Sequence[int]) -> list[int]:
    """How torch lays out the result of an operation entry by entry: along the axes as its operands lie.

    Source: `reorder_dimensions` of torch's TensorIterator.
    """
    n_axes = len(shape)
    steps = []
    for tensor in tensors:
        missing = n_axes - tensor.dim()
        own = zip(tensor.stride(), tensor.shape, shape[missing:], strict=True)
        steps.append([0] * missing + [0 if n == 1 != length else step for step, n, length in own])

    def is_inside(first: int, second: int) -> int:
        # Above 0 where the second axis is to lie inside the first, below 0 where it is not, else whichever.
        for each in steps:
            if each[first] and each[second]:
                if each[first] != each[second]:
                    return 1 if each[first] > each[second] else -1
                if shape[first] > shape[second]:
                    return 1
        return 0

    order = list(reversed(range(n_axes)))  # from the innermost outwards
    for start in range(1, n_axes):
        place = start
        for before in reversed(range(start)):
            answer = is_inside(order[before], order[place])
            if answer < 0:
                break
            if answer > 0:
                order[before], order[place] = order[place], order[before]
                place = before
    strides, step = [0] * n_axes, 1
    for axis in order:
        strides[axis], step = step, step * max(1, shape[axis])
    return strides


def is_dense(tensor: Tensor) -> bool:
    """Whether the numbers of a tensor fill its memory without gaps, in any order of the axes.

    Args:
        tensor: Of any kind.
    """
    step = 1
    for stride, length in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if length != 1 and stride != step:
            return False
        step *= length
    return True
