import json
from typing import get_args

import numpy as np
import pytest
from sklearn import metrics

from heldout.errors import UsageError
from heldout.measuring.predictions import Predictions
from heldout.measuring.thresholds import Metric, choose_threshold, curve_at

COSTS = np.array([[0.0, 3.0], [20.0, 1.0]])


def predictions_of(n: int, *, share: float = 0.2, seed: int = 0, decimals: int = 2) -> Predictions:
    """Two overlapping classes, with many equal probabilities."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < share).astype(np.int64)
    labels[:2] = [0, 1]
    logits = np.zeros((n, 2))
    logits[:, 1] = np.round(generator.normal(size=n) + 1.5 * labels - 1, decimals)
    return Predictions(tuple(map(str, range(n))), labels, logits, ("no", "yes"))


def value_of(predictions: Predictions, metric: str, positive: int) -> float:
    """The metric as scikit-learn has it."""
    labels, predicted = predictions.labels, predictions.predicted
    if metric == "cost":
        return float(COSTS[labels, predicted].mean())
    if metric == "f1":
        return float(metrics.f1_score(labels, predicted, pos_label=positive, zero_division=0))
    of = {"balanced_accuracy": metrics.balanced_accuracy_score, "mcc": metrics.matthews_corrcoef}[metric]
    return float(of(labels, predicted))


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("metric", get_args(Metric))
def test_the_threshold_is_the_best_of_all(metric: Metric, positive: int) -> None:
    predictions = predictions_of(60, decimals=1)
    costs = COSTS if metric == "cost" else None
    decision, curve = choose_threshold(predictions, metric=metric, positive=positive, costs=costs)
    probabilities = np.unique(predictions.probabilities[:, positive])
    tried = np.concatenate([[0.0], (probabilities[1:] + probabilities[:-1]) / 2, [1.0]])
    values = [
        value_of(predictions.with_decision(curve_decision), metric, positive)
        for curve_decision in (
            type(decision)("threshold", decision.costs, positive=positive, threshold=t) for t in tried
        )
    ]
    best = min(values) if metric == "cost" else max(values)
    assert value_of(predictions.with_decision(decision), metric, positive) == pytest.approx(best)
    assert (decision.metric, decision.rule, decision.positive) == (metric, "threshold", positive)
    assert curve.values[curve.thresholds.index(curve.chosen)] == pytest.approx(best)


@pytest.mark.parametrize("metric", get_args(Metric))
def test_the_curve_is_the_metric_at_each_threshold(metric: Metric) -> None:
    predictions = predictions_of(80)
    costs = COSTS if metric == "cost" else None
    decision, curve = choose_threshold(predictions, metric=metric, positive=1, costs=costs)
    for threshold, value in list(zip(curve.thresholds, curve.values, strict=True))[::9]:
        at = type(decision)("threshold", decision.costs, positive=1, threshold=threshold)
        assert value == pytest.approx(value_of(predictions.with_decision(at), metric, 1)), threshold
    assert 0.5 in curve.thresholds
    assert (np.array(curve.low) <= curve.values).all()
    assert (np.array(curve.high) >= curve.values).all()


def test_the_middle_of_the_widest_best_stretch_is_taken() -> None:
    logits = np.log([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
    predictions = Predictions(tuple("abcd"), np.array([0, 0, 1, 1]), logits, ("no", "yes"))
    decision, _ = choose_threshold(predictions, metric="mcc", positive=1)
    assert decision.threshold == pytest.approx(0.45)
    assert predictions.with_decision(decision).correct.all()
    # without a false alarm to fear, whatever finds both positives is best: from 0 to 0.6
    free = np.array([[0.0, 0.0], [1.0, 0.0]])
    decision, _ = choose_threshold(predictions, metric="cost", positive=1, costs=free)
    assert decision.threshold == pytest.approx(0.3)


def test_certain_and_equal_probabilities_are_decided_on_too() -> None:
    certain = Predictions(tuple("abc"), np.array([0, 1, 1]), np.array([[0.0, 900.0]] * 3), ("no", "yes"))
    decision, _ = choose_threshold(certain, metric="f1", positive=1)
    assert certain.with_decision(decision).predicted.tolist() == [1, 1, 1]
    no_alarm = np.array([[0.0, 9.0], [1.0, 0.0]])
    # above 1 there is no threshold, so that even here all have to be called positive
    decision, _ = choose_threshold(certain, metric="cost", positive=1, costs=no_alarm)
    assert certain.with_decision(decision).predicted.tolist() == [1, 1, 1]
    neighbours = np.array([[0.0, 0.0], [0.0, np.nextafter(0.0, 1.0)], [0.0, 1e-15]])
    close = Predictions(tuple("abc"), np.array([0, 0, 1]), neighbours, ("no", "yes"))
    decision, _ = choose_threshold(close, metric="balanced_accuracy", positive=1)
    assert close.with_decision(decision).correct.all()


def test_a_curve_of_many_examples_is_thinned_and_is_json() -> None:
    predictions = predictions_of(5000, decimals=6)
    _, curve = choose_threshold(predictions, metric="balanced_accuracy", positive=1)
    assert 100 < len(curve.thresholds) <= 200
    assert list(curve.thresholds) == sorted(set(curve.thresholds))
    read = json.loads(json.dumps(curve.as_dict(), allow_nan=False))
    assert list(read) == ["metric", "positive", "thresholds", "values", "low", "high", "chosen"]
    stated = curve_at(predictions, metric="f1", positive=1, chosen=0.25)
    assert (stated.chosen, 0.25 in stated.thresholds) == (0.25, True)


def test_bands_cover_at_a_threshold_that_was_not_chosen() -> None:
    generator, held = np.random.default_rng(1), {"balanced_accuracy": 0, "f1": 0}
    n, found, alarms = (150, 50), 0.7, 0.2
    labels = np.repeat([0, 1], n)
    truth = {"balanced_accuracy": 0.75, "f1": 2 * 35 / (50 + 35 + 30)}
    for _ in range(150):
        logits = np.zeros((200, 2))
        logits[:, 1] = np.where(generator.random(200) < np.where(labels == 1, found, alarms), 1.0, -1.0)
        predictions = Predictions(tuple(map(str, range(200))), labels, logits, ("no", "yes"))
        for metric in ("balanced_accuracy", "f1"):
            curve = curve_at(predictions, metric=metric, positive=1, chosen=0.5)
            at = curve.thresholds.index(0.5)
            held[metric] += curve.low[at] <= truth[metric] <= curve.high[at]
    assert all(0.90 <= count / 150 <= 1 for count in held.values()), held


def test_what_cannot_be_chosen_is_refused() -> None:
    predictions = predictions_of(20)
    with pytest.raises(UsageError, match=r"metric of a threshold is 'f2'"):
        choose_threshold(predictions, metric="f2", positive=1)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="class number 2 of 2"):
        choose_threshold(predictions, metric="f1", positive=2)
    with pytest.raises(UsageError, match="metric is 'cost' and costs are not given"):
        choose_threshold(predictions, metric="cost", positive=1)
    with pytest.raises(UsageError, match="metric is 'f1' and costs are given"):
        choose_threshold(predictions, metric="f1", positive=1, costs=COSTS)
    alone = Predictions(("a",), np.array([1]), np.zeros((1, 2)), ("no", "yes"))
    with pytest.raises(UsageError, match="all 1 examples to choose a threshold on are 'yes'"):
        choose_threshold(alone, metric="f1", positive=1)
