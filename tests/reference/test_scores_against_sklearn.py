"""Every score equals scikit-learn's on the same predictions."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import NearestCentroid

from heldout.measuring.baselines import majority, nearest_centroid
from heldout.measuring.calibration import reliability_bins
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import (
    accuracy,
    balanced_accuracy,
    brier,
    confusion_matrix,
    macro_f1,
    negative_log_likelihood,
    per_class,
)

CASES = [(2, 40), (5, 150), (5, 12), (30, 400)]


def predictions_of(n_classes: int, n: int) -> Predictions:
    """Imbalanced labels and logits that are right about two times in three."""
    generator = np.random.default_rng(n_classes * 1000 + n)
    labels = np.minimum(generator.geometric(0.3, n) - 1, n_classes - 1)
    logits = generator.normal(size=(n, n_classes)).astype(np.float32) * 2
    logits[np.arange(n), labels] += 3
    ids = tuple(f"{position}" for position in range(n))
    return Predictions(ids, labels, logits, tuple(f"class {index}" for index in range(n_classes)))


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]} classes, {case[1]} examples")
def predictions(request: pytest.FixtureRequest) -> Predictions:
    return predictions_of(*request.param)


def present(predictions: Predictions) -> list[int]:
    return sorted(set(predictions.labels.tolist()))


def test_the_confusion_matrix_is_scikit_learns(predictions: Predictions) -> None:
    theirs = metrics.confusion_matrix(predictions.labels, predictions.predicted, labels=range(len(predictions.classes)))
    assert confusion_matrix(predictions).tolist() == theirs.tolist()


def test_accuracy_is_scikit_learns(predictions: Predictions) -> None:
    theirs = metrics.accuracy_score(predictions.labels, predictions.predicted)
    assert accuracy(confusion_matrix(predictions)).value == pytest.approx(theirs)


def test_balanced_accuracy_is_scikit_learns(predictions: Predictions) -> None:
    ours = balanced_accuracy(confusion_matrix(predictions), generator=np.random.default_rng(0))
    theirs = metrics.recall_score(
        predictions.labels, predictions.predicted, labels=present(predictions), average="macro"
    )
    assert ours.value == pytest.approx(theirs)


def test_macro_f1_is_scikit_learns(predictions: Predictions) -> None:
    ours = macro_f1(confusion_matrix(predictions), generator=np.random.default_rng(0))
    theirs = metrics.f1_score(predictions.labels, predictions.predicted, labels=present(predictions), average="macro")
    assert ours.value == pytest.approx(theirs)


def test_nll_is_scikit_learns_log_loss(predictions: Predictions) -> None:
    theirs = metrics.log_loss(predictions.labels, predictions.probabilities, labels=range(len(predictions.classes)))
    assert negative_log_likelihood(predictions).value == pytest.approx(theirs)


def test_brier_is_scikit_learns_unscaled(predictions: Predictions) -> None:
    theirs = metrics.brier_score_loss(
        predictions.labels,
        predictions.probabilities,
        labels=range(len(predictions.classes)),
        scale_by_half=False,
    )
    assert brier(predictions).value == pytest.approx(theirs)


def test_per_class_table_is_scikit_learns(predictions: Predictions) -> None:
    table = per_class(confusion_matrix(predictions), predictions.classes)
    precision, recall, f1, n = metrics.precision_recall_fscore_support(
        predictions.labels,
        predictions.predicted,
        labels=range(len(predictions.classes)),
        zero_division=np.nan,
    )
    assert [line.n for line in table] == n.tolist()
    assert [line.recall.value for line in table] == pytest.approx(recall.tolist(), nan_ok=True)
    assert [line.precision.value for line in table] == pytest.approx(precision.tolist(), nan_ok=True)
    # where a class has no example but is predicted, scikit-learn says 0 and we say nothing
    assert [line.f1 for line in table if line.n] == pytest.approx(f1[n > 0].tolist())


def test_reliability_bins_are_scikit_learns_curve(predictions: Predictions) -> None:
    bins = reliability_bins(predictions)
    accuracies, confidences = calibration_curve(predictions.correct, predictions.confidence, n_bins=15)
    assert [bin.accuracy for bin in bins] == pytest.approx(accuracies.tolist())
    assert [bin.mean_confidence for bin in bins] == pytest.approx(confidences.tolist())
    assert sum(bin.n for bin in bins) == len(predictions)


def test_majority_is_scikit_learns_dummy(predictions: Predictions) -> None:
    train = np.random.default_rng(1).integers(0, len(predictions.classes), 50)
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((50, 1)), train)
    theirs = dummy.score(np.zeros((len(predictions), 1)), predictions.labels)
    assert majority(train, predictions.labels, len(predictions.classes)).value == pytest.approx(theirs)


def test_nearest_centroid_is_scikit_learns(predictions: Predictions) -> None:
    generator = np.random.default_rng(2)
    middles = generator.normal(size=(len(predictions.classes), 16)) + 5
    labels = predictions.labels
    features = (middles[labels] + generator.normal(size=(len(labels), 16))).astype(np.float32)
    train = slice(0, None, 2)
    theirs = NearestCentroid().fit(features[train], labels[train]).score(features[1::2], labels[1::2])
    ours = nearest_centroid(features[train], labels[train], features[1::2], labels[1::2])
    assert ours.value == pytest.approx(theirs)
