import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.errors import RunFolderError, StorageError, UsageError
from heldout.estimators.keeping import read_estimator, write_estimator
from heldout.estimators.table import TableClassifier

FITTED = {"classes_": np.array(["a", "b"]), "n_features_in_": 2, "feature_names_in_": np.array(["u", "v"], object)}


@pytest.mark.parametrize(
    "classes",
    [
        np.array([1, 2], np.int8),
        np.array([0.5, 2.0], np.float32),
        np.array([False, True]),
        np.array(["a", "b \N{SNOWMAN}"]),
        np.array(["a", "b"], object),
    ],
    ids=str,
)
def test_classes_come_back_with_their_type(classes: np.ndarray, tmp_path: Path) -> None:
    write_estimator(tmp_path, "Kind", params={"x": np.int64(3)}, fitted=FITTED | {"classes_": classes})
    params, back, columns = read_estimator(tmp_path, "Kind")
    np.testing.assert_array_equal(back.values, classes)
    assert (back.values.dtype, params, columns["n_features_in_"]) == (classes.dtype, {"x": 3}, 2)
    assert columns["feature_names_in_"].tolist() == ["u", "v"]


@pytest.mark.parametrize(
    ("params", "classes"),
    [
        ({}, np.array([b"a", b"b"])),
        ({}, np.array([("a",), ("b",)], [("f", "O")])),
        ({"x": object()}, np.array(["a", "b"])),
        ({"x": float("nan")}, np.array(["a", "b"])),
    ],
    ids=["bytes", "records", "an object", "nan"],
)
def test_what_a_file_cannot_hold_is_refused(params: dict[str, Any], classes: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of a type that a file cannot hold"):
        write_estimator(tmp_path, "Kind", params=params, fitted={"classes_": classes})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "not of format 1"),
        ({"kind": "ImageClassifier"}, "it is of a 'ImageClassifier', not of a 'TableClassifier'"),
        ({"params": []}, "parameters or columns"),
        ({"params": {"colour": "red"}}, "unexpected keyword argument 'colour'"),
        ({"feature_names_in": ["a"]}, "parameters or columns"),
        ({"n_features_in": "2"}, "parameters or columns"),
        ({"classes": {"dtype": "O"}}, "classes are of an unknown kind"),
        ({"classes": {"dtype": "<i8", "values": [[1], [2]]}}, "classes are of an unknown kind"),
        ({"classes": {"dtype": "<M8[D]", "values": [1, 2]}}, "classes are of an unknown kind"),
        ({"classes": {"dtype": "<U1", "values": ["a", "c"]}}, "classes are not those of the model"),
    ],
)
def test_a_changed_record_is_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    X = [[float(n), float(n % 3)] for n in range(20)]
    file = TableClassifier().fit(X, ["a", "b"] * 10).save(tmp_path) / "estimator.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(RunFolderError, match=reason):
        TableClassifier.load(tmp_path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    classifier = TableClassifier().fit([[0.0], [1.0]] * 5, ["a", "b"] * 5)
    with pytest.raises(StorageError, match=r"cannot write .*file"):
        classifier.save(tmp_path / "file")


def test_a_folder_without_a_record_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"estimator\.json is absent"):
        TableClassifier.load(tmp_path)
