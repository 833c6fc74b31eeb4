"""What a gradient that flows back through an answer tells: whether it is learned from, and which of its rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from heldout.auditing.watch.identities import as_array
from heldout.auditing.watch.patching import Patches, quietly


class GradientWatch:
    """Tells gradients that parameters are learned with from those that are only looked at, as an attack does.

    Args:
        patches: By which `torch.autograd.grad` is wrapped.
        family_of: The family of a parameter; None for any other tensor.
    """

    def __init__(self, patches: Patches, family_of: Callable[[Any], int | None]) -> None:
        import torch

        self._tensor, self._family_of = torch.Tensor, family_of
        self.is_probing = False
        patches.wrap(torch.autograd, "grad", self._grad)

    def _grad(self, original: Any, *arguments: Any, **named: Any) -> Any:
        before = self.is_probing
        quietly(self._begin)(arguments, named)
        try:
            return original(*arguments, **named)
        finally:
            self.is_probing = before

    def _begin(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        asked = named["inputs"] if "inputs" in named else arguments[1]
        # A gradient that is differentiated itself may be learned from by a backward pass that never comes here again.
        is_kept = named.get("create_graph", arguments[4] if len(arguments) > 4 else False)
        asked = (asked,) if isinstance(asked, self._tensor) else asked
        # Anything else may be a generator, such as `model.parameters()`, and must not be used up.
        is_listed = isinstance(asked, tuple | list)
        self.is_probing = is_listed and not is_kept and all(self._family_of(each) is None for each in asked)


def rows_with(gradient: Any, n_samples: int) -> np.ndarray:
    """Which samples of an answer a gradient comes from: all, where it has no row a sample."""
    if not gradient.ndim or len(gradient) != n_samples:
        return np.ones(n_samples, bool)
    return np.asarray(as_array(gradient.detach()).reshape(n_samples, -1).any(axis=1))
