"""The loss that is learnt, and sums over examples that merge into means."""

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def cross_entropy(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"], *, label_smoothing: float = 0.0
) -> Float[Tensor, ""]:
    """Mean over the batch of the negative log-likelihood of each label, in nats, in 32 bits.

    Args:
        logits: In any precision.
        labels: Index of each one's class.
        label_smoothing: The share of each label that is spread over all classes.

    Example:
        >>> import torch
        >>> round(float(cross_entropy(torch.zeros(1, 4), torch.tensor([2]))), 4)  # ln 4
        1.3863
    """
    return functional.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)


class StepSums(NamedTuple):
    """What one batch adds to the sums of an epoch; tensors lie on the network's device until they are added.

    Attributes:
        loss: Mean loss of the batch.
        n_correct: How many of its examples got their own class as the largest logit.
        n: Its examples.
    """

    loss: Float[Tensor, ""] | float
    n_correct: Int[Tensor, ""] | int
    n: int


def count_correct(logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]) -> Int[Tensor, ""]:
    """How many examples have their own class as the largest logit; the first class wins a tie."""
    return (logits.argmax(dim=1) == labels).sum()


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over examples so far.

    A mean of batch means would give the examples of a small last batch more weight than others.

    Attributes:
        loss_sum: Of the examples' losses, nats.
        n_correct: Of them, classified correctly.
        n: Examples counted.
    """

    loss_sum: float = 0.0
    n_correct: int = 0
    n: int = 0

    def plus(self, sums: StepSums) -> "Tally":
        """The sums with one more batch; waits for the device."""
        loss, correct = float(sums.loss), int(sums.n_correct)
        return Tally(self.loss_sum + loss * sums.n, self.n_correct + correct, self.n + sums.n)

    @property
    def loss(self) -> float:
        """Mean over the examples; nan before the first."""
        return self.loss_sum / self.n if self.n else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of the examples that are correct; nan before the first."""
        return self.n_correct / self.n if self.n else float("nan")
