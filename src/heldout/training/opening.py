"""A classifier, whatever it classifies: written into a run folder, and opened again."""

from pathlib import Path

import numpy as np

from heldout.training.classifier import Classifier, all_tensors, load, save
from heldout.training.row_classifier import RowClassifier, is_of_rows, load_rows, save_rows


def save_classifier(classifier: Classifier | RowClassifier, folder: Path, *, regime: str) -> str:
    """Write the classifier into `folder` and give the fingerprint of all its tensors.

    Raises:
        StorageError: The disk refused.
    """
    if isinstance(classifier, RowClassifier):
        return save_rows(classifier, folder)
    return save(classifier, folder, regime=regime)


def open_classifier(run: Path, *, cache: Path) -> Classifier | RowClassifier:
    """The classifier of a finished run.

    Raises:
        RunFolderError: A file is absent or damaged, or the tensors are not those that were written.
    """
    return load_rows(run) if is_of_rows(run) else load(run, cache=cache)


def tensors_of(classifier: Classifier | RowClassifier) -> dict[str, np.ndarray]:
    """Every tensor by name."""
    return classifier.scorer.tensors() if isinstance(classifier, RowClassifier) else all_tensors(classifier)
