"""What an epoch leaves behind, and its row in history.csv."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from heldout.measuring.intervals import wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch of training.

    Attributes:
        epoch: Counted from 1; 0 is the network as it came, before any training (its training numbers are nan).
        learning_rate: The highest of the epoch's steps.
        train_loss: Mean over the examples of what was minimised, while it was being minimised and on augmented
            pictures: it lags behind and is no score. Nats.
        train_accuracy: Of the same examples in the same passes, 0 to 1.
        validation_loss: Mean negative log-likelihood over the validation examples after the epoch, nats; without
            label smoothing.
        validation_correct: Validation examples classified correctly after the epoch.
        n_validation: Validation examples.
        pictures_per_second: Training examples a second, without the validation.
        seconds: The epoch with its validation.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_correct: int
    n_validation: int
    pictures_per_second: float
    seconds: float

    @property
    def validation_accuracy(self) -> float:
        """Share of the validation examples that are classified correctly after the epoch."""
        return self.validation_correct / self.n_validation


def best_epoch(records: Sequence[EpochRecord]) -> int:
    """The epoch of the lowest validation loss; the earliest, where several are equal. A loss that is nan is the worst.

    Args:
        records: At least one.
    """
    worst = (True, math.inf)
    losses = {record.epoch: record.validation_loss for record in records}
    return min(losses, key=lambda epoch: worst if math.isnan(losses[epoch]) else (False, losses[epoch]))


HISTORY_COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "validation_accuracy_low",
    "validation_accuracy_high",
    "n_validation",
    "pictures_per_second",
    "seconds",
    "best",
)


def history_rows(records: Sequence[EpochRecord], *, best_epoch: int) -> list[dict[str, str]]:
    """The rows of history.csv under `HISTORY_COLUMNS`, with Wilson's interval of each accuracy.

    Numbers are written so that they can be read back exactly; what is nan is left empty.
    """
    return [_row(record, record.epoch == best_epoch) for record in records]


def _row(record: EpochRecord, is_best: bool) -> dict[str, str]:
    interval = wilson(record.validation_correct, record.n_validation)
    values = {
        "epoch": record.epoch,
        "learning_rate": record.learning_rate,
        "train_loss": record.train_loss,
        "validation_loss": record.validation_loss,
        "validation_accuracy": record.validation_accuracy,
        "validation_accuracy_low": interval.low,
        "validation_accuracy_high": interval.high,
        "n_validation": record.n_validation,
        "pictures_per_second": record.pictures_per_second,
        "seconds": record.seconds,
        "best": str(is_best).lower(),
    }
    assert tuple(values) == HISTORY_COLUMNS
    return {
        name: "" if isinstance(value, float) and math.isnan(value) else str(value) for name, value in values.items()
    }
