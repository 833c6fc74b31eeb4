"""What passes by a watch: batches that loaders give out, and calls of models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from heldout.auditing.seen.data import Pass
from heldout.auditing.seen.models import Optimiser
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.identities import Glimpse, Population


@dataclass(slots=True, eq=False)
class Batch:
    """What a loader gave out at once.

    Attributes:
        passed: In which pass.
        tensors: What is remembered of its tensors with a first axis, in their order.
        populations: Where its samples come from, and their numbers there; empty where that is not known.
        order: At which places of the batch these samples stand; None where they stand as they are told.
    """

    passed: Pass
    tensors: list[Glimpse]
    populations: list[tuple[Population, int, np.ndarray]] = field(default_factory=list)
    order: np.ndarray | None = None

    @property
    def n_samples(self) -> int:
        """Of the batch; 0 where it holds no tensor."""
        known = sum(len(numbers) for _, _, numbers in self.populations)
        return known or (self.tensors[0].n_rows if self.tensors else 0)


@dataclass(slots=True, eq=False)
class Call:
    """A call of a model that is not counted yet: whether it was trained on shows later."""

    moment: int
    model: int
    family: int
    place: Place
    training_mode: bool
    grad: bool
    n_samples: int
    batch: Batch | None = None
    trained: bool = False
    is_settled: bool = False
    right: int = -1
    n_outputs: int = 0
    loss: float = float("nan")
    is_label_loss: bool = False
    dropout_live: bool = False
    norm_live: bool = False
    frozen_norm_live: bool = False
    labels: np.ndarray | None = None
    predicted: np.ndarray | None = None
    input_mean: float = float("nan")
    input_std: float = float("nan")
    input_low: float = float("nan")
    input_high: float = float("nan")
    is_whole: bool = False
    n_values: int = 0
    told: np.ndarray | None = None
    items: np.ndarray | None = None
    views: np.ndarray | None = None
    held: np.ndarray | None = None
    is_hashed: bool = False
    scores: np.ndarray | None = None
    optimiser: Optimiser | None = None
    rows: np.ndarray | None = None
    is_given: bool = True
    fingerprint: int = 0
    site: int = 0
    names: tuple[str, ...] = ()
    given: Callable[[], Any] = lambda: None


def grouped(calls: Sequence[Call], key: Callable[[Call], Any]) -> list[list[Call]]:
    """Calls of the same kind together, in their order; those of no kind are left out.

    Args:
        calls: Any.
        key: Gives the kind of a call; None for those of no kind.
    """
    groups: dict[Any, list[Call]] = {}
    for call in calls:
        if (kind := key(call)) is not None:
            groups.setdefault(kind, []).append(call)
    return list(groups.values())


def tensors_in(thing: Any, depth: int = 4) -> list[Any]:
    """The tensors with at least one row in nested lists, tuples, dicts and records, in their order."""
    kind = type(thing)
    # It is not enough to ask the thing: what only records what is asked of it has every name.
    if kind in _tensor_types or (hasattr(kind, "data_ptr") and hasattr(kind, "ndim")):
        _tensor_types.add(kind)
        return [thing] if thing.ndim and not thing.is_meta and len(thing) else []
    if depth == 0 or kind is str or isinstance(thing, str | bytes):
        return []
    if kind is tuple:
        values = thing[:64]
    elif isinstance(thing, dict) or hasattr(thing, "items"):
        values = list(thing.values()) if hasattr(thing, "values") else []
    elif isinstance(thing, list | tuple):
        values = list(thing[:64])
    else:
        return []
    return [found for value in values for found in tensors_in(value, depth - 1)]


# Types that were found to be torch's or derived from it: to look is dearer than to remember.
_tensor_types: set[type] = set()
