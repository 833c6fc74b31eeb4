"""What a fitted estimator answered on its validation part: by it "not sure" and prediction sets are sized.

FOLDER/validation.parquet   the label of each example, as an index, and its logits; absent where there is no such part
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from heldout.errors import UsageError
from heldout.measuring.predictions import Predictions
from heldout.records import read_parquet, storage_error, write_parquet
from heldout.training.classifier import Classifier
from heldout.training.model_files import unknown_content
from heldout.training.row_classifier import RowClassifier

_FILE = "validation.parquet"


def answers_on(
    classifier: Classifier | RowClassifier,
    logits: Float[np.ndarray, "validation classes"],
    labels: Int[np.ndarray, " examples"],
    validation: Int[np.ndarray, " validation"],
) -> Predictions | None:
    """The answers on validation; None where no example could be spared for it, so that the weights learned from it.

    Args:
        classifier: Chosen and calibrated.
        logits: Its answers there.
        labels: Of all examples of `fit`.
        validation: Which of them are the validation part.
    """
    return _predictions(classifier, logits, labels[validation]) if len(validation) < len(labels) else None


def write_answers(folder: Path, answers: Predictions | None) -> None:
    """Write validation.parquet, or take away what an earlier estimator left there.

    Raises:
        StorageError: The disk refused.
    """
    import pyarrow as pa

    if answers is None:
        try:
            (folder / _FILE).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error
        return
    flat = pa.array(np.ascontiguousarray(answers.logits).reshape(-1))
    logits = pa.FixedSizeListArray.from_arrays(flat, len(answers.classes))
    write_parquet(folder / _FILE, {"label": pa.array(answers.labels), "logits": logits})


def read_answers(folder: Path, classifier: Classifier | RowClassifier) -> Predictions | None:
    """What `write_answers` wrote; None where there is nothing, as in folders of earlier versions.

    Raises:
        RunFolderError: The file is damaged, or of another model.
    """
    file = folder / _FILE
    if not file.exists():
        return None
    table = read_parquet(file, ["label", "logits"])
    try:
        labels = table["label"].to_numpy().astype(np.int64, casting="safe")
        flat = table["logits"].combine_chunks().flatten().to_numpy()
        return _predictions(classifier, flat.reshape(len(labels), len(classifier.classes)), labels)
    except (UsageError, ValueError, TypeError, AttributeError) as error:
        raise unknown_content(file, str(error)) from error


def _predictions(
    classifier: Classifier | RowClassifier,
    logits: Float[np.ndarray, "validation classes"],
    labels: Int[np.ndarray, " validation"],
) -> Predictions:
    names = tuple(map(str, range(len(labels))))
    return Predictions(names, labels, logits, classifier.classes, classifier.temperature, classifier.decision)
