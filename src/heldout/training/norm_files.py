"""norms.csv of a run folder: what is in it. Imports no torch."""

import csv
from collections.abc import Iterator
from pathlib import Path

from heldout.anatomy.decay.measured import MeasuredDecay, measured_decay
from heldout.errors import DamagedRun

NORMS_FILE = "norms.csv"
# `decay_alone` is what decay alone would have left of the first norm, as a share.
NORM_COLUMNS = ("epoch", "parameter", "norm", "decay_alone")


def decay_record(folder: Path) -> MeasuredDecay | None:
    """How the weights of a run moved; None where nothing was trained by epochs, or an older version did.

    Args:
        folder: The run folder.

    Raises:
        DamagedRun: The file is not one that heldout wrote.
    """
    if not (folder / NORMS_FILE).is_file():
        return None
    try:
        return measured_decay(_rows(folder / NORMS_FILE), _kept(folder / "history.csv"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedRun(
            f"{folder / NORMS_FILE} cannot be read: {error}",
            expected="a whole run folder, as heldout wrote it",
            fix="train again",
        ) from error


def _rows(path: Path) -> Iterator[tuple[int, str, float, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            epoch, name, norm, alone = (row[column] for column in NORM_COLUMNS)
            yield int(epoch), name, float(norm), float(alone)


def _kept(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        return min(int(row["epoch"]) for row in csv.DictReader(file) if row["best"] == "true")
