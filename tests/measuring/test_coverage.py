import json

import numpy as np
import pytest

from heldout.errors import UsageError
from heldout.measuring.coverage import at_confidence, confidence_for, coverage_curve
from heldout.measuring.decisions import at_threshold
from heldout.measuring.intervals import wilson
from heldout.measuring.predictions import Predictions

# confidences .95, .9, .9, .7, .6 and whether these are right: yes, no, yes, yes, no
BY_HAND = Predictions(
    tuple("abcde"),
    np.array([0, 1, 0, 0, 1]),
    np.log([[0.95, 0.05], [0.9, 0.1], [0.9, 0.1], [0.7, 0.3], [0.6, 0.4]]),
    ("no", "yes"),
)


def predictions_of(n: int) -> Predictions:
    generator = np.random.default_rng(n)
    labels = generator.integers(0, 3, n)
    logits = generator.normal(size=(n, 3))
    logits[np.arange(n), labels] += 1.5
    return Predictions(tuple(map(str, range(n))), labels, logits, ("a", "b", "c"))


def test_the_curve_is_the_one_counted_by_hand() -> None:
    points = coverage_curve(BY_HAND)
    assert [point.n for point in points] == [1, 3, 4, 5]
    assert [point.coverage for point in points] == pytest.approx([0.2, 0.6, 0.8, 1.0])
    assert [point.accuracy for point in points] == pytest.approx([1, 2 / 3, 3 / 4, 3 / 5])
    assert [point.confidence for point in points] == pytest.approx([0.95, 0.9, 0.7, 0.6])
    assert (points[1].low, points[1].high) == (wilson(2, 3).low, wilson(2, 3).high)


def test_a_long_curve_is_thinned_and_ends_with_everything() -> None:
    predictions = predictions_of(3000)
    points = coverage_curve(predictions)
    assert 50 < len(points) <= 100
    assert (points[-1].coverage, points[-1].accuracy) == (1.0, predictions.correct.mean())
    for point in points[::20]:
        same = at_confidence(predictions, point.confidence)
        assert (same.n, same.accuracy, same.low, same.high) == (point.n, point.accuracy, point.low, point.high)


def test_groups_widen_the_intervals() -> None:
    predictions = predictions_of(300)
    groups = np.arange(300) // 10
    for alone, grouped in zip(coverage_curve(predictions), coverage_curve(predictions, groups=groups), strict=True):
        assert (grouped.n, grouped.accuracy) == (alone.n, alone.accuracy)
        same = at_confidence(predictions, alone.confidence, groups=groups)
        assert (grouped.low, grouped.high) == pytest.approx((same.low, same.high))
    assert grouped.high - grouped.low > alone.high - alone.low
    assert coverage_curve(predictions, groups=np.arange(300)) == coverage_curve(predictions)


def test_a_wish_is_met_on_what_it_was_chosen_on() -> None:
    assert confidence_for(BY_HAND, accuracy=0.7) == pytest.approx(0.7)
    assert confidence_for(BY_HAND, accuracy=0.6) == pytest.approx(0.6)
    assert confidence_for(BY_HAND, accuracy=1.0) == pytest.approx(0.95)
    predictions = predictions_of(1000)
    confidence = confidence_for(predictions, accuracy=0.9)
    assert confidence is not None
    assert at_confidence(predictions, confidence).accuracy >= 0.9
    for wished in (0.001, 0.3, 1.0):
        confidence = confidence_for(predictions, coverage=wished)
        assert confidence is not None
        assert at_confidence(predictions, confidence).coverage == pytest.approx(wished, abs=1e-9)


def test_a_wish_that_nothing_meets_has_no_confidence() -> None:
    wrong = Predictions(("a", "b"), np.array([1, 0]), np.log([[0.9, 0.1], [0.7, 0.3]]), ("no", "yes"))
    assert confidence_for(wrong, accuracy=0.6) is None


def test_where_nothing_is_answered_there_is_no_accuracy() -> None:
    record = at_confidence(BY_HAND, 0.99, groups=np.zeros(5, int)).as_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == {
        "confidence": 0.99,
        "n": 0,
        "coverage": 0.0,
        "accuracy": None,
        "low": 0.0,
        "high": 1.0,
    }


def test_confidence_is_that_of_what_was_decided_for() -> None:
    points = coverage_curve(BY_HAND.with_decision(at_threshold(0.35, positive=1)))
    assert [point.accuracy for point in points] == pytest.approx([1, 2 / 3, 3 / 4, 4 / 5])
    # 0.4 of class 1 at a threshold of 0.35: that costs 0.6 x 0.35, the other answer 0.4 x 0.65.
    assert points[-1].confidence == pytest.approx(0.26 / (0.26 + 0.21))


@pytest.mark.parametrize(
    "wish", [{}, {"accuracy": 0.9, "coverage": 0.9}, {"accuracy": 1.1}, {"coverage": 0.0}, {"coverage": float("nan")}]
)
def test_wishes_that_cannot_be_meant_are_refused(wish: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="are wished"):
        confidence_for(BY_HAND, **wish)
