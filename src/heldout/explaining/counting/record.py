"""A count as what JSON can hold. The keys stay: programs read them."""

from collections.abc import Sequence
from typing import Any

from heldout.anatomy.counting.counts import Count, LayerCount, Operations, Parameters, ReceptiveField
from heldout.explaining.counting.equations import Equation


def record_of(count: Count, equations: Sequence[Equation] = ()) -> dict[str, Any]:
    """All numbers of a count.

    Args:
        count: Of a network or a layer.
        equations: Of a single layer.
    """
    return {
        "name": count.name,
        "input_shape": list(count.input_shape),
        "output_shape": list(count.layers[-1].output_shape) if count.layers else [],
        "parameters": _parameters(count.parameters),
        "forward": _operations(count.forward),
        "forward_in_training": _operations(count.forward_in_training),
        "backward": _operations(count.backward),
        "training_step": _operations(count.step),
        "input_has_gradient": count.input_has_gradient,
        "activation_bytes": count.activation_bytes,
        "saved_bytes": count.saved_bytes,
        "layers": [_layer(layer) for layer in count.layers],
        "formulas": [
            {"about": each.about, "plain": each.formula.plain, "latex": each.formula.latex, "value": each.value}
            for each in equations
        ],
        "notes": list(count.notes),
    }


def _parameters(parameters: Parameters) -> dict[str, int]:
    return {
        "total": parameters.total,
        "trainable": parameters.trainable,
        "frozen": parameters.frozen,
        "buffers": parameters.buffers,
    }


def _operations(operations: Operations) -> dict[str, Any]:
    return {
        "multiply_adds": operations.multiply_adds,
        "multiply_adds_on_data": operations.on_data,
        "flops": operations.flops,
        "additions": operations.additions,
        "additions_without_bias": operations.multiply_adds - operations.dot_products,
        "other": dict(operations.other),
    }


def _layer(layer: LayerCount) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "n_calls": layer.n_calls,
        "output_shape": list(layer.output_shape),
        "parameters": _parameters(layer.parameters),
        "forward": _operations(layer.forward),
        "forward_in_training": _operations(layer.forward_in_training),
        "backward": _operations(layer.backward),
        "activation_bytes": layer.activation_bytes,
        "receptive_field": _field(layer.receptive_field),
    }


def _field(field: ReceptiveField | None) -> dict[str, Any] | None:
    return None if field is None else {"size": list(field.size), "jump": list(field.jump)}
