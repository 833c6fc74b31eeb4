"""What fitting is asked for, and what it gives, for every regime."""

from dataclasses import dataclass, field

from heldout.training.classifier import Classifier
from heldout.training.history import EpochRecord
from heldout.training.probe import PathPoint
from heldout.training.rates import RateTest
from heldout.training.row_classifier import RowClassifier
from heldout.training.settings import LEVELLING, TrainingSettings


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be fitted, and how.

    Attributes:
        regime: What learns.
        settings: Of the training by mini-batches; None where the head of a frozen backbone is fitted to its optimum.
        seed: Of every random number.
        workers: Processes that train together; more than one is for training by mini-batches alone.
        engine: Where they are: `local` or `ray`.
        imbalance: How rare classes are helped: `none`, `weights`, `balanced-batch` or `focal`.
        focal_gamma: Of the focal loss.
        hidden: The widths of the hidden layers of a model of rows.
    """

    regime: str
    settings: TrainingSettings | None
    seed: int
    # Not in what a checkpoint is known by: a training can go on with others, and says so.
    workers: int = field(default=1, repr=False)
    engine: str = field(default="local", repr=False)
    imbalance: str = "none"
    focal_gamma: float = 2.0
    hidden: tuple[int, ...] = ()

    @property
    def is_levelled(self) -> bool:
        """Whether what is fitted answers as if all classes were equally common, until it is moved back."""
        return self.imbalance in LEVELLING

    @property
    def gamma(self) -> float:
        """Of the focal loss where that is learnt by; else 0."""
        return self.focal_gamma if self.imbalance == "focal" else 0.0


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

    classifier: Classifier | RowClassifier
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
