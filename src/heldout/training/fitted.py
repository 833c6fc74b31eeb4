"""What fitting is asked for, and what it gives, for every regime."""

from dataclasses import dataclass, field

from heldout.training.classifier import Classifier
from heldout.training.history import EpochRecord
from heldout.training.probe import PathPoint
from heldout.training.rates import RateTest
from heldout.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be fitted, and how.

    Attributes:
        regime: What learns.
        settings: Of the training by mini-batches; None where the head of a frozen backbone is fitted to its optimum.
        seed: Of every random number.
        workers: Processes that train together; more than one is for training by mini-batches alone.
        engine: Where they are: `local` or `ray`.
    """

    regime: str
    settings: TrainingSettings | None
    seed: int
    # Not in what a checkpoint is known by: a training can go on with others, and says so.
    workers: int = field(default=1, repr=False)
    engine: str = field(default="local", repr=False)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What fitting gives.

    Attributes:
        classifier: Not calibrated yet.
        path: The penalties tried for the head; empty where none was fitted.
        history: One record an epoch; empty for a head that was fitted to its optimum.
        best_epoch: Whose weights are kept; 0 where no epoch made them better.
        n_parameters: Numbers in the network.
        n_trained: How many of them learned.
        initial: Fingerprint of all tensors before learning.
        precision: What the fit was computed in.
        rate_test: How the learning rate was found; None where it was named, or there is none.
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
    rate_test: RateTest | None = None
    elsewhere: tuple[str, ...] = ()
    checkpoint_seconds: float = 0.0
