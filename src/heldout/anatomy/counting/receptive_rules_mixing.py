"""What matrix products, attention, reductions and normalisations see: whole axes."""

from typing import Any

from heldout.anatomy.counting.aten_calls import Call, argument_names
from heldout.anatomy.counting.receptive import Field
from heldout.anatomy.counting.receptive_fields import Fields, Rule, joined, mix_axes, moved, spread_to
from heldout.anatomy.counting.receptive_rules_views import spread


def product(first: str, second: str) -> Rule:
    """The rule of a product of matrices.

    Args:
        first: The argument whose rows are taken.
        second: The argument whose columns are taken.
    """

    def rule(call: Call, fields: Fields) -> list[Field]:
        rows, columns, shape = call[first], call[second], call.result.shape
        parts = []
        if (field := fields.of(rows)) is not None:
            parts.append(mix_axes(field, [rows.dim() - 1]))
        if (field := fields.of(columns)) is not None:
            summed, last = max(0, columns.dim() - 2), columns.dim() - 1
            # Columns move up to the last axis, where there are any.
            places = {old: len(shape) - 1 if old == last > 0 else old for old in range(columns.dim())}
            parts.append(moved(mix_axes(field, [summed]), places))
        if "self" not in {first, second} and (field := fields.of(call["self"])) is not None:
            parts.append(spread_to(call["self"], field, shape))
        return [joined(parts)]

    return rule


def attention(call: Call, fields: Fields) -> list[Field]:
    """Every query reads all keys and values."""
    query, key, value = (fields.of(call[name]) for name in ("query", "key", "value"))
    n_axes = call["query"].dim()
    parts = [] if query is None else [mix_axes(query, [n_axes - 1])]
    parts += [mix_axes(field, [n_axes - 2]) for field in (key, value) if field is not None]
    return [joined(parts)]


def reduce(call: Call, fields: Fields) -> list[Field]:
    """Axes go, read from end to end."""
    data, names = call["self"], argument_names(call.func)
    if "other" in names:
        return spread(call, fields)
    axes = _axes(call["dim"] if "dim" in names else None, data.dim())
    field = mix_axes(fields.of_argument(data), axes)
    if "keepdim" in names and call["keepdim"]:
        return [field]
    return [moved(field, {old: old - sum(axis < old for axis in axes) for old in range(data.dim())})]


def along(call: Call, fields: Fields) -> list[Field]:
    """An axis stays, and every place of it reads all of it."""
    data = call["self"]
    return [mix_axes(fields.of_argument(data), _axes(call["dim"], data.dim()))]


def _axes(asked: Any, n_axes: int) -> list[int]:
    if asked is None or asked == []:
        return list(range(n_axes))
    return [axis % n_axes for axis in (asked if isinstance(asked, list | tuple) else [asked])] if n_axes else []


def layer_norm(call: Call, fields: Fields) -> list[Field]:
    """Statistics over the last axes."""
    n_axes, n_mixed = call["input"].dim(), len(call["normalized_shape"])
    return [mix_axes(fields.of_argument(call["input"]), range(n_axes - n_mixed, n_axes))]


def batch_norm(call: Call, fields: Fields) -> list[Field]:
    """Entry by entry, as in evaluation; over all places where there are no running statistics."""
    field = fields.of_argument(call["input"])
    without = call["training"] and call["running_mean"] is None
    return [mix_axes(field, range(2, call["input"].dim())) if without else field]


def group_norm(call: Call, fields: Fields) -> list[Field]:
    """Statistics over channels and places."""
    return [mix_axes(fields.of_argument(call["input"]), range(1, call["input"].dim()))]
