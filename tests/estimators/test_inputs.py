from typing import Any

import numpy as np
import pytest
from scipy import sparse

from heldout.errors import DataError
from heldout.estimators.inputs import labels_of, rows_and_labels_of, rows_of
from heldout.estimators.table import TableClassifier

Y = ["a", "b"]


@pytest.mark.parametrize(
    ("X", "types"),
    [
        ([[1, 2.5], [3, 4]], ["double", "double"]),
        (np.array([[1, 2], [3, 4]], np.int8), ["int64", "int64"]),
        (np.array([[1, 2], [3, np.nan]], np.float16), ["double", "double"]),
        (np.array([[1, 2], [3, 4]], np.longdouble), ["double", "double"]),
        (np.array([[True], [False]]), ["bool"]),
        (np.array([[1, "red"], [2.5, "blue"]], object), ["double", "large_string"]),
        (np.array([["x", np.nan], [None, 3]], object), ["large_string", "int64"]),
        (np.array([[1, 1.5], [True, 2]], object), ["double", "double"]),
        (np.array([["x", "1"], ["y", "2"]]), ["large_string", "large_string"]),
        (np.array([["2026-01-01"], ["2026-01-02"]], "datetime64[D]"), ["timestamp[us]"]),
    ],
)
def test_arrays_become_columns_of_plain_types(X: Any, types: list[str]) -> None:
    table, y = rows_and_labels_of(TableClassifier(), X, Y)
    assert [str(kind) for kind in table.schema.types] == types
    assert table.column_names == [f"x{n}" for n in range(len(types))]
    assert y.tolist() == Y


def test_cells_of_several_types_are_refused() -> None:
    with pytest.raises(DataError, match=r"column 1 of X holds cells of several types: could not convert .*'red'"):
        rows_and_labels_of(TableClassifier(), np.array([[1, "red"], [2, 3]], object), Y)


def test_sparse_rows_are_refused() -> None:
    with pytest.raises(TypeError, match="Sparse data was passed"):
        TableClassifier().fit(sparse.csr_array(np.eye(2)), Y)


def test_a_column_of_a_frame_is_no_table() -> None:
    pandas = pytest.importorskip("pandas", reason="statsmodels brings it along")
    with pytest.raises(ValueError, match="Expected a 2-dimensional container"):
        TableClassifier().fit(pandas.Series([1.0, 2.0]), Y)


def test_a_frame_after_an_array_is_taken_by_the_order_of_its_columns() -> None:
    pandas = pytest.importorskip("pandas", reason="statsmodels brings it along")
    estimator = TableClassifier()
    rows_and_labels_of(estimator, [[1, 2], [3, 4]], Y)
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        table = rows_of(estimator, pandas.DataFrame({"b": [5], "a": [6]}))
    assert table.to_pydict() == {"x0": [5], "x1": [6]}
    with pytest.raises(ValueError, match="X has 3 features"):
        rows_of(estimator, [[1, 2, 3]])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y is None"),
        (["a"], "2 examples and 1 labels"),
        ([0.5, 1.5], "Unknown label type: continuous"),
        ([np.nan, 1.0], "y contains NaN"),
        ([[1, 0], [0, 1]], "y should be a 1d array"),
    ],
)
def test_labels_that_are_no_classes_are_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        labels_of(y, n=2)
