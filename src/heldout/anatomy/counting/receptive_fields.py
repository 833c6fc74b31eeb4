"""What every tensor of a run sees of the input, and the small changes that all rules are made of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Concatenate, ParamSpec

from torch import Tensor

from heldout.anatomy.counting.aten_calls import Call
from heldout.anatomy.counting.counts import ReceptiveField
from heldout.anatomy.counting.receptive import (
    WHOLE,
    Along,
    Field,
    Pattern,
    Scattered,
    Seen,
    anywhere,
    mixed,
    receptive_field,
    scattered,
    stretch,
    together,
)

# A tensor is known by where its numbers lie: torch hands the same numbers on in new objects.
Spot = tuple[int, int, tuple[int, ...], tuple[int, ...]]
# What the results of an operation see, in order; the last counts for all behind it.
Rule = Callable[[Call, "Fields"], list[Field]]
Settings = ParamSpec("Settings")


def spot_of(tensor: Tensor) -> Spot:
    """Where the numbers of a tensor lie.

    Args:
        tensor: Of any kind.
    """
    return tensor.untyped_storage()._cdata, int(tensor.storage_offset()), tuple(tensor.shape), tensor.stride()


class Fields:
    """What every tensor of a run sees of the input.

    Args:
        source: The input.
        batch_axis: Of the input.
    """

    def __init__(self, source: Tensor, batch_axis: int = 0) -> None:
        self._source = source
        self._axes = [axis for axis in range(source.dim()) if axis != batch_axis]
        self._fields: dict[Spot, Field] = {spot_of(source): tuple(Along(axis, Pattern()) for axis in self._axes)}
        # Every view of some memory that sees something; memory of which a part was overwritten.
        self._views: dict[int, set[Spot]] = {}
        self._patched: set[int] = set()
        self._channel_axis: int | None = None

    @property
    def n_axes(self) -> int:
        """Axes of the input, without the batch."""
        return len(self._axes)

    def of(self, tensor: Tensor) -> Field | None:
        """What a tensor sees; None where nothing of the input is in it."""
        spot = spot_of(tensor)
        field = self._fields.get(spot)
        if field is None and spot[0] in self._patched:
            return (anywhere(tensor.shape),) * self.n_axes
        return field

    def of_argument(self, tensor: Tensor) -> Field:
        """What an argument sees of an operation that sees something.

        Where it sees nothing itself, another argument does, such as a weight that is made of the input.
        """
        field = self.of(tensor)
        return (anywhere(tensor.shape),) * self.n_axes if field is None else field

    def of_all(self, tensors: Iterable[Tensor]) -> list[tuple[Tensor, Field]]:
        """Those of the tensors that see something."""
        return [(tensor, field) for tensor in tensors if (field := self.of(tensor)) is not None]

    def set(self, tensor: Tensor, field: Field | None) -> None:
        """Keep what a tensor sees."""
        spot = spot_of(tensor)
        if field is None:
            self._fields.pop(spot, None)
        else:
            self._fields[spot] = field
            self._views.setdefault(spot[0], set()).add(spot)

    def overwrite(self, part: Tensor) -> None:
        """A tensor was written into: of others in the same memory nothing can be told any more."""
        spot = spot_of(part)
        if part.numel() * part.element_size() < part.untyped_storage().nbytes():
            for other in self._views.get(spot[0], set()) - {spot}:
                self._fields.pop(other, None)
            self._views[spot[0]] = {spot}
            self._patched.add(spot[0])

    def mix(self, tensors: Iterable[Tensor], read: Tensor | None = None) -> None:
        """Let results see everything: those of a recurrent layer, where what it read sees anything of the input."""
        for tensor in tensors:
            if self.of(tensor if read is None else read) is not None:
                self.set(tensor, (WHOLE,) * self.n_axes)

    def find_channels(self, tensor: Tensor, axis: int) -> None:
        """The first operation that has channels on an axis of a tensor tells which axis of the input they are."""
        if self._channel_axis is not None or not tensor.dim():
            return
        axis %= tensor.dim()
        alone = [
            number
            for number, seen in enumerate(self.of(tensor) or ())
            if isinstance(seen, Along) and seen.alone and seen.axis == axis
        ]
        if len(alone) == 1:
            self._channel_axis = alone[0]

    def report(self, field: Field | None) -> ReceptiveField | None:
        """What is seen of the input's axes of space or time."""
        if field is None:
            return None
        spatial = [axis for axis in range(len(field)) if axis != self._channels()]
        lengths = tuple(self._source.shape[self._axes[axis]] for axis in spatial)
        return receptive_field(tuple(field[axis] for axis in spatial), lengths)

    def _channels(self) -> int | None:
        if self._channel_axis is not None:
            return self._channel_axis
        if not (self._source.is_floating_point() or self._source.is_complex()):
            return None  # ids have no channels
        return 0 if self.n_axes >= 3 else self.n_axes - 1


def moved(field: Field, axes: Mapping[int, int]) -> Field:
    """The field of a tensor whose axes have new numbers.

    Args:
        field: What the tensor saw.
        axes: The new number of each axis along which something is seen.
    """

    def moved_one(seen: Seen) -> Seen:
        if isinstance(seen, Along):
            return replace(seen, axis=axes[seen.axis])
        return scattered(axes[axis] for axis in seen.axes) if isinstance(seen, Scattered) else seen

    return tuple(map(moved_one, field))


def on_axis(
    field: Field,
    axis: int,
    change: Callable[Concatenate[Seen, Settings], Seen],
    *args: Settings.args,
    **kwargs: Settings.kwargs,
) -> Field:
    """The field after an operation on one axis of the tensor.

    Args:
        field: What the tensor saw.
        axis: Of the tensor.
        change: What the operation sees of what the axis saw.
        *args: More for `change`.
        **kwargs: More for `change`.
    """
    return tuple(
        change(seen, *args, **kwargs) if isinstance(seen, Along) and seen.axis == axis else seen for seen in field
    )


def mix_axes(field: Field, axes: Iterable[int]) -> Field:
    """The field after axes of the tensor were read from end to end.

    Args:
        field: What the tensor saw.
        axes: Of the tensor.
    """
    numbers = list(axes)
    return tuple(mixed(seen, numbers) for seen in field)


def joined(fields: Iterable[Field]) -> Field:
    """What an operation sees that reads several tensors place by place.

    Args:
        fields: One at least.
    """
    first, *others = fields
    for other in others:
        first = tuple(map(together, first, other))
    return first


def spread_to(tensor: Tensor, field: Field, shape: Sequence[int]) -> Field:
    """What a tensor sees after it is spread to a larger shape.

    Args:
        tensor: Before.
        field: What it saw.
        shape: Aligned at the last axes.
    """
    shift = len(shape) - tensor.dim()

    def spread(seen: Seen) -> Seen:
        if isinstance(seen, Scattered):
            return scattered(axis + shift for axis in seen.axes)
        if not isinstance(seen, Along):
            return seen
        if tensor.shape[seen.axis] == 1 and shape[seen.axis + shift] != 1:
            return stretch(seen, 0)
        return replace(seen, axis=seen.axis + shift)

    return tuple(map(spread, field))


def nth(values: Sequence[int], number: int) -> int:
    """A setting of one axis, where one may count for all.

    Args:
        values: One, or one an axis.
        number: Of the axis.
    """
    return values[number] if len(values) > 1 else values[0]
