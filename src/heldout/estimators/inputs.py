"""What scikit-learn's users hold -> the rows of a table, and their labels.

- A data frame or an Arrow table keeps its types: numbers, words, truth values, dates.
- An array, or a list of lists, becomes columns x0, x1, ..., or those of the data frame that was fitted to.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(estimator: Any, X: Any) -> "pa.Table":
    """The rows that an estimator is asked about, with the columns that it was fitted to.

    Args:
        estimator: Fitted; its `n_features_in_` and `feature_names_in_` are what columns must agree with.
        X: An array, a list of lists, a data frame or an Arrow table.

    Raises:
        ValueError: Not as many columns, other names, sparse rows, complex numbers, or no rows.
        TypeError: Cells that are neither numbers nor words.
    """
    from sklearn.utils.validation import validate_data

    if _is_frame(X):
        validate_data(estimator, X, skip_check_array=True, reset=False)
        return _named(read_table(X, name="X"), estimator)
    return _named(_columns_of(validate_data(estimator, X, dtype=None, ensure_all_finite=False, reset=False)), estimator)


def rows_and_labels_of(estimator: Any, X: Any, y: Any) -> tuple["pa.Table", Shaped[np.ndarray, " rows"]]:
    """The rows and labels that an estimator is fitted to; it learns `n_features_in_` and `feature_names_in_`.

    Args:
        estimator: To be fitted.
        X: As for `rows_of`.
        y: One label a row.

    Raises:
        ValueError: As `rows_of`; no labels, labels that are missing or quantities, or not as many as rows.
        TypeError: As `rows_of`.
    """
    from sklearn.utils.validation import validate_data

    if _is_frame(X):
        validate_data(estimator, X, y, skip_check_array=True)
        table = read_table(X, name="X")
    else:
        X, y = validate_data(estimator, X, y, dtype=None, ensure_all_finite=False)
        table = _columns_of(X)
    return _named(table, estimator), labels_of(y, n=table.num_rows)


def labels_of(y: Any, *, n: int) -> Shaped[np.ndarray, " rows"]:
    """Labels as an array, checked as scikit-learn's classifiers check them.

    Args:
        y: One label an example.
        n: How many examples there are.

    Raises:
        ValueError: Labels are missing or quantities, or not as many as examples.

    Example:
        >>> labels_of(["b", "a"], n=2).tolist()
        ['b', 'a']
    """
    from sklearn.utils import assert_all_finite, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets

    if y is None:
        raise DataError("y is None", expected="y should be a 1d array", fix="pass one label an example")
    labels = column_or_1d(y, warn=True)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    if len(labels) != n:
        raise DataError(
            f"there are {n:,} examples and {len(labels):,} labels", expected="one label an example", fix="check X and y"
        )
    return np.asarray(labels)


def _is_frame(X: Any) -> bool:
    """Whether it has typed columns; a single column of a frame has not."""
    return hasattr(X, "__arrow_c_stream__") and hasattr(X, "columns")


def _named(table: "pa.Table", estimator: Any) -> "pa.Table":
    names = getattr(estimator, "feature_names_in_", None)
    # scikit-learn has seen to it that columns stand where they stood.
    return table.rename_columns([f"x{n}" for n in range(table.num_columns)] if names is None else names.tolist())


def _columns_of(X: Shaped[np.ndarray, "rows columns"]) -> "pa.Table":
    X = np.asarray(X)
    if X.dtype.kind == "f" and X.dtype.itemsize > 8:
        X = X.astype(np.float64)
    if X.dtype.kind in "fiu":
        X = np.asfortranarray(X)  # so that Arrow sees each column in one piece
    return read_table({f"x{n}": _cells(X[:, n], n) for n in range(X.shape[1])}, name="X")


def _cells(column: Shaped[np.ndarray, " rows"], n: int) -> "pa.Array":
    import pyarrow as pa

    if column.dtype.kind != "O":
        return pa.array(column)
    try:
        cells = pa.array(column.tolist(), from_pandas=True)
        if not pa.types.is_nested(cells.type):
            return cells
    except (pa.ArrowException, TypeError, OverflowError):
        pass  # cells of several types: numbers, if anything
    try:
        return pa.array(column.astype(np.float64))
    except ValueError as error:
        raise DataError(
            f"column {n} of X holds cells of several types: {error}",
            expected="numbers alone, or words alone, in each column",
            fix="write its numbers as words, or replace its words",
        ) from error
