"""What a network is called with to be counted: tensors of the shapes that were asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from heldout.anatomy.counting.hollow_tensors import hollow_like
from heldout.anatomy.counting.layer_names import batch_axis
from heldout.anatomy.counting.layer_words import parse_shape, shape_words
from heldout.anatomy.counting.traces import Inputs
from heldout.errors import UsageError, one_of

# A network that needs numbers is really run, and with more than this it is not: 256 MiB in single precision.
MAX_REAL_ENTRIES = 1 << 26
# What fails for another reason is only tried once more where inputs and weights are few: 64 MiB.
FEW_REAL_ENTRIES = 1 << 24


def hollow_inputs(model: nn.Module, given: Any, *, dtype: torch.dtype, with_gradient: bool) -> Inputs:
    """Hollow tensors of the shapes of one example.

    Args:
        model: Says where the batch axis is: second in torch's own recurrent and attention layers that are not told
            otherwise, first everywhere else.
        given: The shape of one example; tensors, as the network takes them; several of either; or by name.
        dtype: Of what is given as a shape.
        with_gradient: Whether inputs of real numbers take a gradient.

    Raises:
        UsageError: It is none of these.
    """
    axis = batch_axis(model)

    def tensor(value: Any) -> Any:
        if isinstance(value, Tensor):
            return _leaf(hollow_like(value), with_gradient)
        shape = one_shape(value)
        return _leaf(torch.empty((*shape[:axis], 1, *shape[axis:]), dtype=dtype, device="meta"), with_gradient)

    if isinstance(given, Mapping) and given:
        return Inputs((), {str(name): tensor(value) for name, value in given.items()}, axis)
    if isinstance(given, Tensor | str) or _is_shape(given):
        return Inputs((tensor(given),), {}, axis)
    if isinstance(given, Sequence) and given and not any(isinstance(each, int | float | None) for each in given):
        return Inputs(tuple(tensor(value) for value in given), {}, axis)
    raise _no_input(given)


def real_inputs(hollow: Inputs, given: Any) -> Inputs:
    """The same with numbers: those of the tensors that were given, and random ones; on the CPU.

    Args:
        hollow: Says the shapes.
        given: As `hollow_inputs` took it.
    """
    generator = torch.Generator().manual_seed(0)
    values = [given] if isinstance(given, Tensor) or not isinstance(given, Mapping | Sequence) else given
    known = list(values.values() if isinstance(values, Mapping) else values)

    def tensor(number: int, like: Tensor) -> Tensor:
        if number < len(known) and isinstance(known[number], Tensor):
            made = known[number].detach().cpu().clone()
        elif like.is_floating_point() or like.is_complex():
            made = torch.randn(like.shape, generator=generator, dtype=like.dtype)
        else:
            made = torch.zeros(like.shape, dtype=like.dtype)
        return _leaf(made, like.requires_grad)

    args = tuple(tensor(number, each) for number, each in enumerate(hollow.args))
    return replace(
        hollow, args=args, kwargs={name: tensor(n, each) for n, (name, each) in enumerate(hollow.kwargs.items())}
    )


def one_shape(value: Any) -> tuple[int, ...]:
    """The shape of one example, checked.

    Args:
        value: Whole numbers, or words such as `3x224x224`.

    Raises:
        UsageError: It is no shape.
    """
    if isinstance(value, str):
        return parse_shape(value)
    if not _is_shape(value):
        raise _no_input(value)
    return parse_shape(shape_words(value))


def number_type(name: torch.dtype | str | None) -> torch.dtype | None:
    """A type of numbers by its name in torch.

    Args:
        name: Such as `float16` or `long`; None stays None.

    Raises:
        UsageError: torch has no such type.
    """
    if name is None or isinstance(name, torch.dtype):
        return name
    known = {key: value for key, value in vars(torch).items() if isinstance(value, torch.dtype)}
    if name not in known:
        raise one_of("dtype", name, known)
    return known[name]


def _leaf(tensor: Tensor, with_gradient: bool) -> Tensor:
    return tensor.requires_grad_(with_gradient and (tensor.is_floating_point() or tensor.is_complex()))


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(each, int) and not isinstance(each, bool) for each in value)
        and len(value) > 0
    )


def _no_input(given: Any) -> UsageError:
    return UsageError(
        f"the input is {given!r}, which is no shape",
        expected="the shape of one example without the batch axis, such as (3, 224, 224); or tensors",
        fix="give whole numbers of 1 and more",
    )
