"""Scores and curves for unlike classes equal scikit-learn's on the same predictions."""

import numpy as np
import pytest
from sklearn import metrics

from heldout.measuring.curves import curves_of
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import average_precision, macro_average_precision, mcc, roc_auc, weighted_accuracy
from heldout.measuring.scores import confusion_matrix


def predictions_of(n_classes: int, n: int, decimals: int) -> Predictions:
    """Imbalanced labels; few decimals make many equal probabilities."""
    generator = np.random.default_rng(n_classes * 1000 + n)
    labels = np.minimum(generator.geometric(0.4, n) - 1, n_classes - 1)
    logits = np.round(generator.normal(size=(n, n_classes)), decimals)
    logits[np.arange(n), labels] += 1
    return Predictions(tuple(map(str, range(n))), labels, logits, tuple(map(str, range(n_classes))))


@pytest.fixture(params=[(2, 30, 0), (2, 400, 1), (2, 300, 9), (4, 60, 0), (9, 200, 9)], ids=str)
def predictions(request: pytest.FixtureRequest) -> Predictions:
    return predictions_of(*request.param)


def of_each_class(predictions: Predictions) -> list[tuple[np.ndarray, np.ndarray]]:
    present = sorted(set(predictions.labels.tolist()))
    return [(predictions.probabilities[:, index], predictions.labels == index) for index in present]


def test_average_precision_is_scikit_learns(predictions: Predictions) -> None:
    theirs = []
    for probability, is_class in of_each_class(predictions):
        theirs.append(metrics.average_precision_score(is_class, probability))
        assert average_precision(probability, is_class).value == pytest.approx(theirs[-1])
    both = macro_average_precision(predictions.probabilities, predictions.labels)
    assert both.value == pytest.approx(np.mean(theirs))


def test_roc_auc_is_scikit_learns(predictions: Predictions) -> None:
    for probability, is_class in of_each_class(predictions):
        assert roc_auc(probability, is_class).value == pytest.approx(metrics.roc_auc_score(is_class, probability))


def test_mcc_is_scikit_learns(predictions: Predictions) -> None:
    theirs = metrics.matthews_corrcoef(predictions.labels, predictions.predicted)
    assert mcc(predictions).value == pytest.approx(theirs)


def test_weighted_accuracy_is_scikit_learns(predictions: Predictions) -> None:
    weights = np.random.default_rng(0).random(len(predictions.classes))
    theirs = metrics.accuracy_score(
        predictions.labels, predictions.predicted, sample_weight=weights[predictions.labels]
    )
    ours = weighted_accuracy(confusion_matrix(predictions), weights, generator=np.random.default_rng(0))
    assert ours.value == pytest.approx(theirs)
    assert ours.low < ours.value < ours.high


def test_curves_are_scikit_learns(predictions: Predictions) -> None:
    for probability, is_class in of_each_class(predictions):
        both = curves_of(probability, is_class, generator=np.random.default_rng(0))
        assert both is not None
        fpr, tpr, _ = metrics.roc_curve(is_class, probability, drop_intermediate=False)
        theirs = {(round(x, 9), round(y, 9)) for x, y in zip(fpr.tolist(), tpr.tolist(), strict=True)}
        assert {(round(x, 9), round(y, 9)) for x, y in zip(both[1].fpr, both[1].tpr, strict=True)} <= theirs
        precision, recall, _ = metrics.precision_recall_curve(is_class, probability)
        theirs = {(round(x, 9), round(y, 9)) for x, y in zip(recall.tolist(), precision.tolist(), strict=True)}
        assert {(round(x, 9), round(y, 9)) for x, y in zip(both[0].recall, both[0].precision, strict=True)} <= theirs
