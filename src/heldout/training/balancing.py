"""What helps rare classes while a network is trained, and what makes its answers those of the true prior again.

    none             every example counts the same
    weights          the loss of an example counts n / (classes x examples of its class)
    balanced-batch   every batch holds equally many examples of each class (data/balance/balanced_batches.py)
    focal            the loss counts less where the network is right already: (1 - p)^gamma

A network that is trained with weights or balanced batches answers as if all classes were equally common, one trained
by the focal loss is not sure enough. Wherever probabilities are wanted, on validation and ever after, the logits are
moved back (measuring/prior.py), so that a probability means what it says in each of the four.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from heldout.data.balance.imbalance import class_weights
from heldout.measuring.prior import from_focal, prior_shift
from heldout.training.losses import cross_entropy


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """How much examples count in the loss, and how logits become answers.

    Attributes:
        weights: Of each class, on the network's device; None where all count the same.
        gamma: Of the focal loss; 0 is cross-entropy.
        shift: What is added to the logits of each class for the true prior; None for nothing.
    """

    weights: Float[Tensor, " classes"] | None = None
    gamma: float = 0.0
    shift: Float[Tensor, " classes"] | None = None

    def loss(
        self, logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"], *, label_smoothing: float = 0.0
    ) -> Float[Tensor, ""]:
        """The mean over the batch of what is learnt, in nats, in 32 bits.

        The mean is over examples and not over their weights, whose mean over all training examples is 1: the gradient
        of a batch is then an unbiased estimate of that of all.

        Source:
            Lin et al., "Focal Loss for Dense Object Detection" (2017), equation 4, without its factor alpha.
        """
        if self.weights is None and not self.gamma:
            return cross_entropy(logits, labels, label_smoothing=label_smoothing)
        losses = torch.nn.functional.cross_entropy(
            logits.float(), labels, label_smoothing=label_smoothing, reduction="none"
        )
        if self.gamma:
            log_p = torch.log_softmax(logits.float(), dim=1).gather(1, labels[:, None])[:, 0]
            # 1 - p to machine precision where p is almost 1; its root has no slope at 0, hence the floor.
            losses = losses * (-torch.expm1(log_p)).clamp_min(1e-12) ** self.gamma
        if self.weights is not None:
            losses = losses * self.weights[labels]
        return losses.mean()

    def answers(self, logits: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
        """Logits whose softmax are probabilities under the true prior."""
        if self.gamma:
            moved = from_focal(logits.detach().float().cpu().numpy(), self.gamma)
            return torch.from_numpy(moved.astype(np.float32)).to(logits.device)
        return logits if self.shift is None else logits.float() + self.shift


EVEN = Balance()


def balance_of(
    imbalance: str,
    labels: Int[np.ndarray, " train"],
    n_classes: int,
    *,
    gamma: float,
    device: torch.device,
) -> Balance:
    """What a remedy comes to for these training examples.

    Args:
        imbalance: `none`, `weights`, `balanced-batch` or `focal`.
        labels: Of the training examples.
        n_classes: How many classes there are.
        gamma: Of the focal loss.
        device: Of the network.
    """
    if imbalance == "none":
        return EVEN
    if imbalance == "focal":
        return Balance(gamma=gamma)
    counts = np.bincount(labels, minlength=n_classes)
    weights = None
    if imbalance == "weights":
        weights = torch.from_numpy(class_weights(counts).astype(np.float32)).to(device)
    shift = torch.from_numpy(prior_shift(counts).astype(np.float32)).to(device)
    return Balance(weights=weights, shift=shift)
