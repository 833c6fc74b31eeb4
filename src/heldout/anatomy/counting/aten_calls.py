"""One call of one of torch's own operations (ATen), with its arguments by name."""

from collections.abc import Iterator, Mapping
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

# The zeros that a padding has put in front of and behind each axis of a tensor.
Margins = tuple[tuple[int, int], ...]


class Call:
    """An operation, its arguments and what it gave.

    Args:
        func: The operation, as torch hands it to a dispatch mode.
        args: By position.
        kwargs: By name.
    """

    # An argument that a rule asks for and that is not there: another version of torch may name it otherwise.
    NoArgument = KeyError
    __slots__ = ("_named", "_tensors", "args", "func", "kwargs", "margins", "name", "out")

    def __init__(self, func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.func = func
        self.name = plain_name(func)
        self.out: Any = None
        self.margins: Margins | None = None
        self._named: dict[str, Any] | None = None
        self._tensors: tuple[Tensor, ...] | None = None
        self.give(args, kwargs)

    def __getitem__(self, name: str) -> Any:
        if self._named is None:
            arguments = _arguments(self.func)
            self._named = dict(arguments)
            self._named.update(zip((name for name, _ in arguments), self.args, strict=False))
            self._named.update(self.kwargs)
        return self._named[name]

    def tensors(self) -> tuple[Tensor, ...]:
        """The arguments that are tensors, those in lists as well."""
        if self._tensors is None:
            self._tensors = tuple(tensors_in((*self.args, *self.kwargs.values())))
        return self._tensors

    def give(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Other arguments in the place of these.

        Args:
            args: By position.
            kwargs: By name.
        """
        self.args, self.kwargs, self._named, self._tensors = args, kwargs, None, None

    def outputs(self) -> Iterator[Tensor]:
        """The results that are tensors."""
        return tensors_in((self.out,))

    @property
    def result(self) -> Tensor:
        """The first result that is a tensor."""
        return next(self.outputs())


def tensors_in(values: Any) -> Iterator[Tensor]:
    """The tensors among values and in lists of them.

    Args:
        values: Arguments or results of an operation.
    """
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def size(tensor: Tensor) -> int:
    """The number of entries."""
    return prod(tensor.shape)


@cache
def _arguments(func: OpOverload) -> tuple[tuple[str, Any], ...]:
    return tuple((argument.name, argument.default_value) for argument in func._schema.arguments)


@cache
def argument_names(func: OpOverload) -> frozenset[str]:
    """The names of an operation's arguments.

    Args:
        func: The operation.
    """
    return frozenset(name for name, _ in _arguments(func))


@cache
def plain_name(func: OpOverload) -> str:
    """The name without its library where that is ATen, and without the mark of an operation in place.

    Args:
        func: The operation.

    Example:
        >>> plain_name(torch.ops.aten.add_.Tensor)
        'add'
    """
    library, _, name = func._schema.name.partition("::")
    name = name.rstrip("_") if not name.endswith("__") else name
    return name if library == "aten" else f"{library}::{name}"


@cache
def is_view(func: OpOverload) -> bool:
    """Whether the result shares its numbers with an argument, and none is written."""
    returned = [each.alias_info for each in func._schema.returns]
    return bool(returned) and all(alias is not None and not alias.is_write for alias in returned)


@cache
def is_pointwise(func: OpOverload) -> bool:
    """Whether each entry of the result is made of the entries at the same place."""
    return torch.Tag.pointwise in func.tags


@cache
def is_in_place(func: OpOverload) -> bool:
    """Whether the result is the first argument, overwritten."""
    arguments = func._schema.arguments
    alias = arguments[0].alias_info if arguments else None
    return alias is not None and alias.is_write and func._schema.name.endswith("_")
