"""The head of a frozen backbone: fitted to the optimum at each penalty, the penalty chosen on validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from heldout.measuring.predictions import log_softmax
from heldout.models.heads import Head, fit_heads

# The walk from strong to weak penalties ends when the last two steps together brought less than this, in nats of
# validation loss where the classes are equally common. The difference is far inside the noise of any validation part;
# weaker penalties only take longer. Where one class is rare all losses are small, and this is by as much.
_LEAST_GAIN = 0.002
_CHUNK = 4096  # rows that are in 64 bits at one time


@dataclass(frozen=True, slots=True)
class PathPoint:
    """One penalty of the path.

    Attributes:
        l2: The penalty.
        train_loss: Mean negative log-likelihood of the training examples, nats.
        validation_loss: The same of the validation examples.
        validation_correct: How many validation examples are right.
        chosen: Whether this head is the one that is kept.
    """

    l2: float
    train_loss: float
    validation_loss: float
    validation_correct: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """The chosen head and the path it was chosen from.

    Attributes:
        head: Fitted on the training examples alone.
        path: Strongest penalty first.
        shift: What its logits are moved by to be those of the true prior; None where they are already.
    """

    head: Head
    path: tuple[PathPoint, ...]
    shift: Float[np.ndarray, " classes"] | None = None

    @property
    def bias(self) -> Float[np.ndarray, " classes"]:
        """The head's bias for the true prior."""
        return self.head.bias if self.shift is None else (self.head.bias + self.shift).astype(np.float32)


def fit_probe(
    train: tuple[Float[np.ndarray, "train features"], Int[np.ndarray, " train"]],
    validation: tuple[Float[np.ndarray, "validation features"], Int[np.ndarray, " validation"]],
    n_classes: int,
    *,
    class_weights: Float[np.ndarray, " classes"] | None = None,
    shift: Float[np.ndarray, " classes"] | None = None,
) -> Probe:
    """The head with the smallest validation loss along the path of penalties.

    Args:
        train: Features and labels that the heads are fitted to.
        validation: Features and labels that the penalty is chosen on.
        n_classes: How many classes the head tells apart.
        class_weights: As for `fit_heads`.
        shift: What the logits are moved by before a head is judged, to be those of the true prior again; the head that
            is given is not moved yet.
    """
    heads: list[Head] = []
    points: list[PathPoint] = []
    least_gain = _least_gain(train[1])
    for head in fit_heads(*train, n_classes, class_weights=class_weights):
        heads.append(head)
        moved = head if shift is None else replace(head, bias=head.bias + shift.astype(np.float32))
        # Of examples that all count the same, the fit has the mean already.
        is_told = shift is None and class_weights is None
        train_loss = head.loss if is_told else _loss_and_correct(moved, *train)[0]
        points.append(PathPoint(head.l2, train_loss, *_loss_and_correct(moved, *validation)))
        if _walked_enough([point.validation_loss for point in points], least_gain):
            break
    best = int(np.argmin([point.validation_loss for point in points]))
    path = [
        PathPoint(point.l2, point.train_loss, point.validation_loss, point.validation_correct, index == best)
        for index, point in enumerate(points)
    ]
    return Probe(heads[best], tuple(path), shift)


def _least_gain(labels: Int[np.ndarray, " train"]) -> float:
    """What two steps must bring, nats: less where the loss of knowing the classes' shares alone is below ln 2.

    Example:
        >>> _least_gain(np.array([0, 1])), round(_least_gain(np.repeat([0, 1], [98, 2])), 5)
        (0.002, 0.00028)
    """
    counts = np.bincount(labels)
    shares = counts[counts > 0] / len(labels)
    return _LEAST_GAIN * min(1.0, -float(shares @ np.log2(shares)))


def _walked_enough(losses: Sequence[float], least_gain: float) -> bool:
    """Whether the last two steps brought next to nothing.

    Example:
        >>> _walked_enough([0.9, 0.5, 0.4], 0.002), _walked_enough([0.5, 0.4, 0.41, 0.45], 0.002)
        (False, True)
    """
    return len(losses) > 2 and min(losses[:-2]) - min(losses) < least_gain


def _loss_and_correct(
    head: Head, features: Float[np.ndarray, "examples features"], labels: Int[np.ndarray, " examples"]
) -> tuple[float, int]:
    # Many rows at once, unlike the answers of a classifier: nothing is told of single examples here.
    weight = head.weight.T.astype(np.float64)
    starts = range(0, len(features), _CHUNK)
    logits = np.concatenate([features[start : start + _CHUNK].astype(np.float64) @ weight for start in starts])
    logits += head.bias
    loss = -float(np.mean(log_softmax(logits)[np.arange(len(labels)), labels]))
    return loss, int(np.sum(logits.argmax(axis=1) == labels))
