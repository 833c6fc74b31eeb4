"""What is seen of one pass of a network: the data that `tracing` gives."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from torch import Tensor

from heldout.anatomy.counting.counts import Operations, ReceptiveField


@dataclass(slots=True)
class TracedLayer:
    """What was seen of one layer, all its calls together.

    Attributes:
        name: Its path, and the function where it is one.
        kind: The class of the module, or the function's name.
        is_module: Whether it is a module.
        shape: Of its first output, without the batch axis; whole where that axis is not of length 1.
        n_calls: How often it ran.
        forward: What it computes.
        backward: What its gradients compute.
        n_bytes: Of its outputs, as far as they are memory of their own.
        receptive_field: Of its first output.
    """

    name: str
    kind: str
    is_module: bool
    shape: tuple[int, ...] = ()
    n_calls: int = 0
    forward: Operations = field(default_factory=Operations)
    backward: Operations = field(default_factory=Operations)
    n_bytes: int = 0
    receptive_field: ReceptiveField | None = None

    @property
    def computes(self) -> bool:
        """Whether it does anything that is counted."""
        return any(each.multiply_adds or each.other for each in (self.forward, self.backward))


@dataclass(slots=True)
class Trace:
    """What was seen of one pass.

    Attributes:
        layers: By name, in the order in which they are first run.
        homes: The layer that first computes with a parameter or buffer, by the name of the tensor.
        saved_bytes: What is kept for the backward pass, parameters and buffers excepted.
        without_rule: Operations that no rule tells, and how often they were called.
    """

    layers: dict[str, TracedLayer] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    saved_bytes: int = 0
    without_rule: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a network is called with.

    Attributes:
        args: By position.
        kwargs: By name.
        batch_axis: Of the first tensor.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    batch_axis: int = 0

    def tensors(self) -> list[Tensor]:
        """All of them."""
        return list(all_tensors((self.args, dict(self.kwargs))))


@dataclass(frozen=True, slots=True)
class Place:
    """The layer that is at work.

    Attributes:
        layer: Its name.
        kind: The class of the module, or the function's name.
        is_module: Whether it is a module.
        batch_axis: Of its output.
    """

    layer: str
    kind: str
    is_module: bool = False
    batch_axis: int = 0


def all_tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in lists, tuples, dictionaries, dataclasses, and all of these in each other.

    Args:
        value: What a module takes or gives.
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from all_tensors(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from all_tensors(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from all_tensors(getattr(value, each.name, None))


def without_batch(shape: Sequence[int], axis: int = 0) -> tuple[int, ...]:
    """A shape without its batch axis; whole where that axis is not of length 1.

    Args:
        shape: Of a tensor.
        axis: The batch axis.

    Example:
        >>> without_batch((1, 3, 8)), without_batch((64, 49, 96))
        ((3, 8), (64, 49, 96))
    """
    if axis >= len(shape) or shape[axis] != 1:
        return tuple(shape)
    return (*shape[:axis], *shape[axis + 1 :])
