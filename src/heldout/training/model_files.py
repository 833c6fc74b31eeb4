"""What the files of a classifier have in common, whether it is one of pictures or of rows."""

from pathlib import Path

import numpy as np

from heldout.errors import RunFolderError
from heldout.models.weights import fingerprint
from heldout.records import read_json


def read_classes(file: Path) -> tuple[str, ...]:
    """The class names.

    Raises:
        RunFolderError: The file is absent or damaged.
    """
    classes = read_json(file)
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise unknown_content(file, "it is no list of names")
    return tuple(classes)


def read_tensors(folder: Path, wanted: str) -> dict[str, np.ndarray]:
    """The tensors of weights.safetensors.

    Args:
        folder: Of the model.
        wanted: Their fingerprint.

    Raises:
        RunFolderError: The file is absent or damaged, or they are others.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors: dict[str, np.ndarray] = load_file(folder / "weights.safetensors")
        whole = fingerprint(tensors)
    except (OSError, SafetensorError) as error:
        raise damaged(folder, str(error)) from error
    if whole != wanted:
        raise damaged(folder, "its fingerprint is not the one that was written")
    return tensors


def unknown_content(file: Path, reason: str) -> RunFolderError:
    """The error for a file of the model that says what this version does not understand."""
    return RunFolderError(
        f"{file} cannot be used: {reason}",
        expected="the file as heldout wrote it",
        fix="copy the run folder again from where it is whole, or upgrade heldout if a newer one wrote it",
    )


def damaged(folder: Path, reason: str) -> RunFolderError:
    """The error for weights that are not those that were written."""
    return RunFolderError(
        f"{folder / 'weights.safetensors'} cannot be used: {reason}",
        expected="the file that heldout wrote",
        fix="copy the run folder again from where it is whole, or train again",
    )
