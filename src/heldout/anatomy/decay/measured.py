"""How the norms of a network's weights moved in a training, beside what the decay alone would have done to them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorDecay:
    """One tensor that learned.

    Attributes:
        name: As the network calls it.
        is_decayed: Whether the optimiser decays it.
        norms: The root of the sum of squares, an epoch at a time from before the first step.
        alone: What the decay alone would have left of it, as a share, by then; all 1 where it is not decayed.
    """

    name: str
    is_decayed: bool
    norms: tuple[float, ...]
    alone: tuple[float, ...]

    def ratio(self, row: int) -> float | None:
        """The norm as a share of the first; None where that was 0.

        Args:
            row: Of `norms`; -1 is the last.
        """
        return self.norms[row] / self.norms[0] if self.norms[0] else None

    def by_gradient(self, row: int) -> float | None:
        """So many times as large as decay alone would have left it; None where that is nothing.

        Args:
            row: Of `norms`; -1 is the last.
        """
        ratio, alone = self.ratio(row), abs(self.alone[row])
        return ratio / alone if ratio is not None and alone else None


@dataclass(frozen=True, slots=True)
class MeasuredDecay:
    """The weights of a training.

    Attributes:
        epochs: What each row is of; 0 is before the first step.
        kept: The epoch whose weights were kept; 0 where training made nothing better.
        tensors: What learned, in the network's order.
    """

    epochs: tuple[int, ...]
    kept: int
    tensors: tuple[TensorDecay, ...]

    @property
    def row(self) -> int:
        """Of the epoch that is told of: the one that was kept, or the last where that is the beginning."""
        return self.epochs.index(self.kept) if self.kept > 0 else len(self.epochs) - 1

    @property
    def decayed(self) -> tuple[TensorDecay, ...]:
        """Those that the optimiser decays."""
        return tuple(tensor for tensor in self.tensors if tensor.is_decayed)

    @property
    def is_decayed(self) -> bool:
        """Whether there was any decay."""
        return bool(self.decayed)


def measured_decay(rows: Iterable[tuple[int, str, float, float]], kept: int) -> MeasuredDecay:
    """The record of a training in order.

    Args:
        rows: Epoch, name of the tensor, its norm, and what decay alone would have left; epochs rise.
        kept: The epoch whose weights were kept.

    Raises:
        ValueError: The rows are not those of one training: an epoch lacks a tensor, or the beginning is absent.

    Example:
        >>> found = measured_decay([(0, "fc.weight", 2.0, 1.0), (1, "fc.weight", 1.9, 0.9)], kept=1)
        >>> round(found.tensors[0].by_gradient(1), 4)
        1.0556
    """
    norms: dict[str, dict[int, tuple[float, float]]] = {}
    for epoch, name, norm, alone in rows:
        norms.setdefault(name, {})[epoch] = (norm, alone)
    epochs = tuple(next(iter(norms.values()), {}))
    if epochs != tuple(range(len(epochs))) or not epochs or any(tuple(each) != epochs for each in norms.values()):
        raise ValueError("an epoch is absent, or has not the tensors of the others")
    if kept not in epochs:
        raise ValueError(f"epoch {kept} was kept, and is absent")
    tensors = []
    for name, each in norms.items():
        values, alone_values = zip(*each.values(), strict=True)
        is_decayed = any(one != 1.0 for one in alone_values)
        tensors.append(TensorDecay(name, is_decayed, values, alone_values))
    return MeasuredDecay(epochs, kept, tuple(tensors))
