"""What a saved estimator is beside its classifier: parameters, and classes and columns as the caller had them.

FOLDER/model/           the classifier, as in the folder of a run
FOLDER/validation.parquet   what it answered on validation (`answers.py`)
FOLDER/estimator.json   all else; written last, so that its presence says that the folder is whole
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from heldout.errors import UsageError
from heldout.estimators.labels import ClassMap, class_map_of
from heldout.records import read_json, storage_error, to_json, write_atomic
from heldout.training.model_files import unknown_content

_FILE = "estimator.json"
# Truth values, numbers and words: what JSON can hold and numpy makes again.
_KINDS = "biufUO"


def forget_estimator(folder: Path) -> None:
    """Take away what says that the folder is whole, before another model is written there.

    Raises:
        StorageError: The disk refused.
    """
    try:
        (folder / _FILE).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def write_estimator(folder: Path, kind: str, *, params: Mapping[str, Any], fitted: Mapping[str, Any]) -> None:
    """Write estimator.json.

    Args:
        folder: Of the estimator.
        kind: The name of its class.
        params: What it was made with.
        fitted: `classes_`, and where there are columns `n_features_in_` and `feature_names_in_`.

    Raises:
        UsageError: Classes or parameters are of a type that JSON cannot hold.
        StorageError: The disk refused.
    """
    classes = fitted["classes_"]
    is_plain = classes.dtype.kind in "biufU" or all(type(value) is str for value in classes.tolist())
    names = fitted.get("feature_names_in_")
    record = {
        "format": 1,
        "kind": kind,
        "params": {name: plain(value) for name, value in params.items()},
        "classes": {"dtype": classes.dtype.str, "values": classes.tolist()},
        "n_features_in": fitted.get("n_features_in_"),
        "feature_names_in": None if names is None else names.tolist(),
    }
    try:
        content = to_json(record) if is_plain else b""
    except (TypeError, ValueError):
        content = b""
    if not content:
        raise UsageError(
            f"the classes are of type {classes.dtype}, or a parameter is of a type that a file cannot hold",
            expected="classes that are numbers, words or truth values, and plain parameters",
            fix="convert the labels before fitting",
        )
    write_atomic(folder / _FILE, content)


def read_estimator(folder: Path, kind: str) -> tuple[dict[str, Any], ClassMap, dict[str, Any]]:
    """The parameters, the classes, and `n_features_in_` and `feature_names_in_` where they are known.

    Args:
        folder: Of the estimator.
        kind: The name of the class that it is to be of.

    Raises:
        RunFolderError: The file is absent, damaged, or of another kind.
    """
    file = folder / _FILE
    record = read_json(file)
    if not isinstance(record, dict) or record.get("format") != 1:
        raise unknown_content(file, "it is not of format 1")
    if record.get("kind") != kind:
        raise unknown_content(file, f"it is of a {record.get('kind')!r}, not of a {kind!r}")
    params, names, n = record.get("params"), record.get("feature_names_in"), record.get("n_features_in")
    is_names = names is None or (isinstance(names, list) and len(names) == n and all(isinstance(x, str) for x in names))
    if not isinstance(params, dict) or not is_names or not (n is None or isinstance(n, int)):
        raise unknown_content(file, "parameters or columns are absent or of another kind")
    columns: dict[str, Any] = {} if n is None else {"n_features_in_": n}
    if names is not None:
        columns["feature_names_in_"] = np.array(names, object)
    return params, _classes(record.get("classes"), file), columns


def plain(value: Any) -> Any:
    """A parameter as Python's own number, text or dictionary.

    Example:
        >>> plain(np.float64(0.5)), plain(Path("costs.csv"))
        (0.5, 'costs.csv')
    """
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Path):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value


def _classes(content: Any, file: Path) -> ClassMap:
    try:
        dtype = np.dtype(content["dtype"])
        values = np.array(content["values"], dtype)
        if dtype.kind in _KINDS and values.ndim == 1 and len(values):
            return class_map_of(values)
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise unknown_content(file, "its classes are of an unknown kind")
