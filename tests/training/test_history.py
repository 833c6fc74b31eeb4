import csv
import io
import math

from heldout.measuring.intervals import wilson
from heldout.training.history import HISTORY_COLUMNS, EpochRecord, history_rows


def record(epoch: int, *, train_loss: float = 0.1) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        learning_rate=0.1 / 3,
        train_loss=train_loss,
        train_accuracy=0.5,
        validation_loss=1 / 7,
        validation_correct=9,
        n_validation=12,
        pictures_per_second=11.5,
        seconds=3.25,
    )


def test_rows_hold_every_column_and_the_interval_of_the_accuracy() -> None:
    row = history_rows([record(1)], best_epoch=1)[0]
    interval = wilson(9, 12)
    assert tuple(row) == HISTORY_COLUMNS
    assert float(row["validation_accuracy"]) == 0.75
    assert (float(row["validation_accuracy_low"]), float(row["validation_accuracy_high"])) == (
        interval.low,
        interval.high,
    )


def test_numbers_come_back_from_the_file_exactly() -> None:
    file = io.StringIO()
    writer = csv.DictWriter(file, HISTORY_COLUMNS)
    writer.writeheader()
    writer.writerows(history_rows([record(1)], best_epoch=1))
    file.seek(0)
    row = next(csv.DictReader(file))
    assert float(row["learning_rate"]) == 0.1 / 3
    assert float(row["validation_loss"]) == 1 / 7


def test_one_epoch_is_marked_and_what_is_not_a_number_is_empty() -> None:
    rows = history_rows([record(0, train_loss=math.nan), record(1), record(2)], best_epoch=1)
    assert [row["best"] for row in rows] == ["false", "true", "false"]
    assert rows[0]["train_loss"] == ""
