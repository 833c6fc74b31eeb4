"""The arithmetic behind a model, from Python: `heldout.explain.count("resnet18", input="3x224x224")`.

Each function gives an `Explanation`: `print` it, read its `facts`, keep its `as_json()` or `as_latex()`, `plot` it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout.explaining.counting.explained import explain_count as count
    from heldout.explaining.decay.explained import explain_decay as decay
    from heldout.explaining.graphs.explained import explain_graph as graph
    from heldout.explaining.neurons.explained import explain_neuron as neuron
    from heldout.explaining.regions.explained import explain_region as region

# Where each lives; it is imported when it is first asked for.
_HOMES = {
    "count": "heldout.explaining.counting.explained",
    "graph": "heldout.explaining.graphs.explained",
    "decay": "heldout.explaining.decay.explained",
    "neuron": "heldout.explaining.neurons.explained",
    "region": "heldout.explaining.regions.explained",
}
__all__ = ["count", "graph", "decay", "neuron", "region"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'heldout.explain' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), f"explain_{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
