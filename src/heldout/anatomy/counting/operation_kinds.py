"""Kinds of operations that depend on the layer: one operation of torch serves several."""

from heldout.anatomy.counting.counts import Operations
from heldout.anatomy.counting.traces import Place


def renamed(operations: Operations, operation: str, place: Place, node: str) -> Operations:
    """Operations under the name that they have in their layer.

    Args:
        operations: Of one call.
        operation: Its name.
        place: The layer.
        node: The kind of torch's graph node in the backward pass; empty in the forward pass.
    """
    kind = place.kind.lower()
    names: dict[str, str] = {}
    if "dropout" in kind:
        names = {"element-wise": "dropout", "random draws": "dropout"}
    elif kind.startswith("instance"):
        names = {"batch normalisation": "instance normalisation"}
    elif "avgpool" in kind.replace("_", "") or "avg_pool" in kind:
        names = {"reductions": "average pooling", "element-wise": "average pooling"}
    elif node == "AddmmBackward0" and operation == "sum":
        names = {"reductions": "bias gradients"}
    elif node and operation == "sum":
        names = {"reductions": "gradient sums"}
    elif node and operation == "add":
        names = {"element-wise": "gradient sums"}
    if not names.keys() & operations.other.keys():
        return operations
    other = Operations()
    for name, n in operations.other.items():
        other += Operations(other={names.get(name, name): n})
    return Operations(operations.multiply_adds, operations.on_data, operations.dot_products, other.other)
