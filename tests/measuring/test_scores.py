import json

import numpy as np
import pytest

from heldout.measuring.intervals import wilson
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import (
    Score,
    accuracy,
    balanced_accuracy,
    brier,
    confusion_matrix,
    macro_f1,
    negative_log_likelihood,
    per_class,
)

# Rows true, columns predicted; class "c" has no example, "d" is never predicted.
CONFUSION = np.array([[6, 1, 1, 0], [2, 8, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]])
CLASSES = ("a", "b", "c", "d")


def predictions_of(probabilities: list[list[float]], labels: list[int]) -> Predictions:
    ids = tuple(f"{position}" for position in range(len(labels)))
    logits = np.log(np.array(probabilities))
    return Predictions(ids, np.array(labels), logits, CLASSES[: logits.shape[1]])


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_confusion_matrix_has_labels_in_rows_and_predictions_in_columns() -> None:
    predictions = predictions_of([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], [0, 0, 2])
    assert confusion_matrix(predictions).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_accuracy_has_its_wilson_interval() -> None:
    score = accuracy(CONFUSION)
    interval = wilson(14, 20)
    assert score == Score("accuracy", 0.7, interval.low, interval.high, 20, "Wilson, 95%")


def test_means_over_classes_leave_out_those_without_an_example() -> None:
    recall = balanced_accuracy(CONFUSION, generator=generator())
    assert recall.value == pytest.approx((6 / 8 + 8 / 10 + 0) / 3)
    f1 = macro_f1(CONFUSION, generator=generator())
    assert f1.value == pytest.approx((12 / (8 + 9) + 16 / (10 + 10) + 0) / 3)
    for score in (recall, f1):
        assert score.low < score.value < score.high
        assert score.n == 20
        assert "1 of 4 classes have no example and are left out" in score.method


def test_the_number_of_resamples_can_be_chosen_and_is_told() -> None:
    assert "100 resamples" in balanced_accuracy(CONFUSION, generator=generator(), n_resamples=100).method
    assert "100 resamples" in macro_f1(CONFUSION, generator=generator(), n_resamples=100).method


def test_nll_and_brier_are_those_worked_by_hand() -> None:
    predictions = predictions_of([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], [0, 1])
    assert negative_log_likelihood(predictions).value == pytest.approx(-(np.log(0.7) + np.log(0.3)) / 2)
    first, second = 0.3**2 + 0.2**2 + 0.1**2, 0.5**2 + 0.7**2 + 0.2**2
    assert brier(predictions).value == pytest.approx((first + second) / 2)


def test_a_single_example_leaves_the_nll_open_upwards_and_json_says_none() -> None:
    score = negative_log_likelihood(predictions_of([[0.7, 0.3]], [0]))
    assert score.low == 0.0
    assert score.high == np.inf
    assert score.as_dict()["high"] is None
    assert (brier(predictions_of([[0.7, 0.3]], [0])).low, brier(predictions_of([[0.7, 0.3]], [0])).high) == (0, 2)


def test_an_nll_without_an_error_reaches_up_to_what_the_model_fears() -> None:
    # 50 right at .99; an error would cost -ln .01, and up to 7.1 % errors fit with 0 of 50 (Wilson)
    score = negative_log_likelihood(predictions_of([[0.99, 0.01]] * 50, [0] * 50))
    error_rate = wilson(0, 50).high
    assert score.high == pytest.approx(error_rate * -np.log(0.01) - (1 - error_rate) * np.log(0.99))


def test_a_model_that_leaves_errors_no_probability_still_has_intervals() -> None:
    predictions = Predictions(("a", "b"), np.array([0, 0]), np.array([[2000.0, 0.0], [1500.0, 0.0]]), ("x", "y"))
    score = negative_log_likelihood(predictions)
    assert score.value == 0.0
    assert score.high == pytest.approx(wilson(0, 2).high * 1500)
    assert brier(predictions).high == pytest.approx(wilson(0, 2).high * 2)


def test_the_per_class_table_is_the_one_worked_by_hand() -> None:
    first, _, absent, unnamed = per_class(CONFUSION, CLASSES)
    assert (first.name, first.n, first.recall.value, first.recall.n) == ("a", 8, 0.75, 8)
    assert (first.precision.value, first.precision.n) == (6 / 9, 9)
    assert (first.recall.low, first.recall.high) == (wilson(6, 8).low, wilson(6, 8).high)
    assert (first.precision.low, first.precision.high) == (wilson(6, 9).low, wilson(6, 9).high)
    assert first.f1 == pytest.approx(12 / 17)
    assert np.isnan([absent.recall.value, absent.f1, unnamed.precision.value]).all()
    assert (absent.precision.value, absent.precision.n, unnamed.f1) == (0.0, 1, 0.0)


def test_what_is_not_defined_is_null_in_json() -> None:
    table = per_class(CONFUSION, CLASSES)
    read = json.loads(json.dumps([line.as_dict() for line in table], allow_nan=False))
    assert read[2]["recall"] == {
        "name": "recall",
        "value": None,
        "low": 0.0,
        "high": 1.0,
        "n": 0,
        "method": "Wilson, 95%",
    }
    assert read[2]["f1"] is None
    assert list(read[0]) == ["name", "n", "recall", "precision", "f1"]
