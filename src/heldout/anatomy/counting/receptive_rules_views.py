"""What views, copies and joins see: axes change their places, merge and part."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from heldout.anatomy.counting.aten_calls import Call, argument_names
from heldout.anatomy.counting.receptive import (
    WHOLE,
    Along,
    Field,
    Fixed,
    Scattered,
    Seen,
    anywhere,
    axes_of,
    scattered,
    shifted,
    stretch,
    window,
)
from heldout.anatomy.counting.receptive_fields import Fields, Rule, joined, moved, on_axis, spread_to

# Tensors have at most 64 axes in torch.
_ALL_AXES = range(64)


def same(name: str) -> Rule:
    """The rule of an operation that sees what one argument sees.

    Args:
        name: Of the argument.
    """
    return lambda call, fields: [fields.of_argument(call[name])]


def permute(call: Call, fields: Fields) -> list[Field]:
    """Axes in another order."""
    data, n_axes = call["self"], call["self"].dim()
    order = list(range(n_axes))
    if call.name == "permute":
        order = [axis % n_axes for axis in call["dims"]]
    elif n_axes > 1:
        pair = (0, 1) if call.name == "t" else (call["dim0"] % n_axes, call["dim1"] % n_axes)
        order[pair[0]], order[pair[1]] = order[pair[1]], order[pair[0]]
    return [moved(fields.of_argument(data), {old: new for new, old in enumerate(order)})]


def view(call: Call, fields: Fields) -> list[Field]:
    """The same entries counted along other axes."""
    data, shape = call["self"], call.result.shape
    return [tuple(_viewed(seen, data.shape, shape) for seen in fields.of_argument(data))]


def _viewed(seen: Seen, old: Sequence[int], new: Sequence[int]) -> Seen:
    """The axis of the new shape, merged or not, along which the same places lie."""
    if isinstance(seen, Scattered):
        return scattered(axis for old_axis in seen.axes for axis in _overlapping(old_axis, old, new))
    if not isinstance(seen, Along):
        return seen
    length = seen.length or old[seen.axis]
    inner = seen.inner * prod(old[seen.axis + 1 :])  # entries from one place to the next
    behind = 1
    for axis in reversed(range(len(new))):
        ahead = behind * new[axis]
        if behind <= inner and inner * length <= ahead and (new[axis] > 1 or length == 1):
            if inner % behind or ahead % (inner * length):
                break
            if behind == inner and ahead == inner * length:
                return Along(axis, seen.pattern)
            return Along(axis, seen.pattern, inner // behind, length)
        behind = ahead
    return scattered(_overlapping(seen.axis, old, new))


def _overlapping(old_axis: int, old: Sequence[int], new: Sequence[int]) -> Iterator[int]:
    """The axes of the new shape that take part in counting along an old one."""
    start = prod(old[old_axis + 1 :])
    end = start * old[old_axis]
    for axis in range(len(new)):
        behind = prod(new[axis + 1 :])
        if behind < end and behind * new[axis] > start and new[axis] > 1:
            yield axis


def as_strided(call: Call, fields: Fields) -> list[Field]:
    """Torch lays tensors of one entry an axis out anew; whatever else it does here is not followed."""
    unchanged = call.result.shape == call["self"].shape
    return [fields.of_argument(call["self"])] if unchanged else anything(call, fields)


def anything(call: Call, fields: Fields) -> list[Field]:
    """Of an operation without a rule nothing is told, but what sees everything goes on to see everything."""
    parts = [field for _, field in fields.of_all(call.tensors())]
    known = [WHOLE in seen for seen in zip(*parts, strict=True)]
    return [tuple(WHOLE if whole else anywhere(each.shape) for whole in known) for each in call.outputs()]


def spread(call: Call, fields: Fields) -> list[Field]:
    """Entries at the same place, of tensors that are spread to one shape."""
    shape = call.result.shape
    return [joined(spread_to(tensor, field, shape) for tensor, field in fields.of_all(call.tensors()))]


def expand(call: Call, fields: Fields) -> list[Field]:
    """One tensor spread to a larger shape."""
    return [spread_to(call["self"], fields.of_argument(call["self"]), call.result.shape)]


def copy(call: Call, fields: Fields) -> list[Field]:
    """A tensor overwritten by another."""
    source = fields.of(call["src"])
    return [fields.of_argument(call["self"]) if source is None else spread_to(call["src"], source, call["self"].shape)]


def select(call: Call, fields: Fields) -> list[Field]:
    """One place of an axis, which goes."""
    data = call["self"]
    axis = call["dim"] % data.dim()
    return [_without(fields.of_argument(data), axis, call["index"] % data.shape[axis])]


def unbind(call: Call, fields: Fields) -> list[Field]:
    """Every place of an axis on its own."""
    data = call["self"]
    axis = call["dim"] % data.dim()
    field = fields.of_argument(data)
    return [_without(field, axis, place) for place in range(data.shape[axis])]


def _without(field: Field, axis: int, place: int) -> Field:
    taken = on_axis(field, axis, stretch, place)
    left = tuple(replace(seen, axes=seen.axes - {axis}) if isinstance(seen, Scattered) else seen for seen in taken)
    return moved(left, {old: old - (old > axis) for old in _ALL_AXES})


def cut(call: Call, fields: Fields) -> list[Field]:
    """A stretch of an axis, or every few places of it."""
    data = call["self"]
    axis, field = call["dim"] % data.dim(), fields.of_argument(data)
    length, step, start = data.shape[axis], call["step"], call["start"] or 0
    start = min(max(start + (length if start < 0 else 0), 0), length)
    if start == 0 and step == 1 and call.result.shape[axis] == length:
        return [field]
    return [on_axis(field, axis, window, 1, stride=step, before=-start)]


def split(call: Call, fields: Fields) -> list[Field]:
    """Stretches of an axis, one behind the other."""
    data = call["self"]
    axis, field, start, parts = call["dim"] % data.dim(), fields.of_argument(data), 0, []
    for part in call.outputs():
        parts.append(on_axis(field, axis, shifted, -start))
        start += part.shape[axis]
    return parts


def squeeze(call: Call, fields: Fields) -> list[Field]:
    """Axes of one place go."""
    data = call["self"]
    asked = call["dim"] if "dim" in argument_names(call.func) else list(range(data.dim()))
    axes = {axis % data.dim() for axis in (asked if isinstance(asked, list | tuple) else [asked])} if data.dim() else ()
    field = fields.of_argument(data)
    for axis in sorted((axis for axis in axes if data.shape[axis] == 1), reverse=True):
        field = _without(field, axis, 0)
    return [field]


def unsqueeze(call: Call, fields: Fields) -> list[Field]:
    """An axis of one place comes."""
    data = call["self"]
    axis = call["dim"] % (data.dim() + 1)
    return [moved(fields.of_argument(data), {old: old + (old >= axis) for old in _ALL_AXES})]


def cat(call: Call, fields: Fields) -> list[Field]:
    """Tensors side by side: channels by intention; along space only one of them may see the input."""
    axis, start, parts, n_along = call["dim"] % call.result.dim(), 0, [], 0
    for tensor in call["tensors"]:
        field = fields.of(tensor)
        if field is not None:
            n_along += any(axis in axes_of(seen) for seen in field)
            parts.append(on_axis(field, axis, shifted, start))
        start += tensor.shape[axis]
    whole = joined(parts)
    return [whole if n_along < 2 else on_axis(whole, axis, lambda _: scattered({axis}))]


def stack(call: Call, fields: Fields) -> list[Field]:
    """Tensors one behind the other along a new axis."""
    axis = call["dim"] % call.result.dim()
    found = [field for _, field in fields.of_all(call["tensors"])]
    whole = [moved(field, {old: old + (old >= axis) for old in _ALL_AXES}) for field in found]
    together = joined(whole)
    if all(field == whole[0] for field in whole):
        return [together]
    return [tuple(scattered({axis}) if isinstance(seen, Fixed) else seen for seen in together)]


def indexed(call: Call, fields: Fields) -> list[Field]:
    """Places taken in an order that is not followed."""
    field = fields.of_argument(call.args[0])
    if call.name in {"roll", "flip"}:
        return [tuple(scattered({seen.axis}) if isinstance(seen, Along) else seen for seen in field)]
    return [tuple(anywhere(call.result.shape) if axes_of(seen) else seen for seen in field)]
