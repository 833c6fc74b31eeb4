"""What fitting is asked for, and what it gives, for every regime."""

from dataclasses import dataclass

from heldout.training.classifier import Classifier
from heldout.training.history import EpochRecord
from heldout.training.probe import PathPoint
from heldout.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be fitted, and how.

    Attributes:
        regime: What learns.
        settings: Of the training by mini-batches; None for `frozen`.
        seed: Of every random number.
    """

    regime: str
    settings: TrainingSettings | None
    seed: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What fitting gives.

    Attributes:
        classifier: Not calibrated yet.
        path: The penalties tried for the head; empty where none was fitted.
        history: One record an epoch; empty for `frozen`.
        best_epoch: Whose weights are kept; 0 where no epoch made them better.
        n_parameters: Numbers in the network.
        n_trained: How many of them learned.
        initial: Fingerprint of all tensors before learning.
        precision: What the fit was computed in.
        elsewhere: In what the circumstances of an earlier part of the training, before it was resumed, differ.
        checkpoint_seconds: What saving took.
    """

    classifier: Classifier
    path: tuple[PathPoint, ...]
    history: tuple[EpochRecord, ...]
    best_epoch: int
    n_parameters: int
    n_trained: int
    initial: str
    precision: str
    elsewhere: tuple[str, ...] = ()
    checkpoint_seconds: float = 0.0
