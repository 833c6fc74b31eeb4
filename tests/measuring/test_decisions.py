import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heldout.errors import UsageError
from heldout.measuring.decisions import (
    Decision,
    at_threshold,
    balanced,
    from_dict,
    in_words,
    least_cost,
    likeliest,
)
from heldout.measuring.predictions import Predictions, log_softmax

CLASSES = ("sick", "well")
LOGITS = np.array([[0.0, 0.0], [2.0, 0.0], [-1.0, 1.0], [-3.0, 0.0]])


def predictions(decision: Decision | None = None, temperature: float = 1.0) -> Predictions:
    return Predictions(("a", "b", "c", "d"), np.array([0, 0, 1, 1]), LOGITS, CLASSES, temperature, decision)


def test_costs_are_weighed_as_by_hand() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    costs = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 9.0], [1.0, 1.0, 0.0]])
    # expected costs: (.5, .7, 4.7) and (.9, .9, 1.3): the tie goes to the first of equally likely classes
    assert least_cost(costs).decide(np.log(probabilities)).tolist() == [0, 0]


def test_a_tie_goes_to_the_likelier() -> None:
    costs = np.array([[0.0, 3.0], [1.0, 0.0]])
    assert least_cost(costs).decide(np.log([[0.25, 0.75]])).tolist() == [1]
    assert least_cost(np.ones((3, 3))).decide(np.log([[0.2, 0.3, 0.5], [0.4, 0.4, 0.2]])).tolist() == [2, 0]


@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_likeliest_class_is_that_of_the_largest_logit_bit_for_bit(n_classes: int) -> None:
    logits = np.random.default_rng(0).normal(size=(200, n_classes)).astype(np.float32)
    logits[::3, 1] = logits[::3, 0]
    plain = Predictions(tuple(map(str, range(200))), np.zeros(200, int), logits, tuple("abcde"[:n_classes]))
    decided = plain.with_decision(likeliest(n_classes))
    assert decided.predicted.tolist() == plain.predicted.tolist()
    assert decided.confidence.tolist() == plain.confidence.tolist()
    assert decided.with_decision(None).decision is None
    assert likeliest(n_classes).decide(plain.log_probabilities).tolist() == plain.predicted.tolist()


@settings(max_examples=60, deadline=None)
@given(
    logits=arrays(np.float64, (30, 4), elements=st.floats(-30, 30)),
    counts=arrays(np.int64, 4, elements=st.integers(1, 1000)),
)
def test_balanced_says_what_a_balanced_model_would(logits: np.ndarray, counts: np.ndarray) -> None:
    prior = counts / counts.sum()
    decided = balanced(prior).decide(log_softmax(logits + np.log(prior)))
    gap = logits.max(axis=1) - logits[np.arange(30), decided]
    assert gap.max() < 1e-9


@settings(max_examples=60, deadline=None)
@given(
    p=st.floats(1e-6, 1 - 1e-6),
    false_alarm=st.floats(0.01, 100),
    miss=st.floats(0.01, 100),
    positive=st.sampled_from([0, 1]),
)
def test_costs_of_two_classes_are_a_threshold(p: float, false_alarm: float, miss: float, positive: int) -> None:
    costs = np.zeros((2, 2))
    costs[1 - positive, positive], costs[positive, 1 - positive] = false_alarm, miss
    decision = least_cost(costs, positive=positive)
    assert decision.threshold == pytest.approx(false_alarm / (false_alarm + miss))
    assert decision.threshold is not None
    if abs(p - decision.threshold) > 1e-9:
        row = np.empty((1, 2))
        row[0, positive], row[0, 1 - positive] = np.log(p), np.log1p(-p)
        assert (decision.decide(row)[0] == positive) == (p > decision.threshold)


@pytest.mark.parametrize("positive", [0, 1])
def test_at_the_threshold_the_positive_class_is_decided_for(positive: int) -> None:
    half = predictions(at_threshold(0.5, positive))
    assert half.predicted[0] == positive
    assert half.predicted[1:].tolist() == [0, 1, 1]
    assert (predictions(at_threshold(0.0, positive)).predicted == positive).all()
    assert (predictions(at_threshold(1.0, positive)).predicted == 1 - positive).all()


def test_confidence_is_the_probability_of_the_class_decided_for() -> None:
    decided = predictions(at_threshold(0.9, positive=0))
    assert decided.predicted.tolist() == [1, 1, 1, 1]
    assert decided.confidence == pytest.approx(decided.probabilities[:, 1])
    assert decided.correct.tolist() == [False, False, True, True]


def test_a_threshold_is_met_by_probabilities_at_their_temperature() -> None:
    decision = at_threshold(0.8, positive=0)
    assert predictions(decision).predicted.tolist() == [1, 0, 1, 1]
    assert predictions(decision).with_temperature(4.0).predicted.tolist() == [1, 1, 1, 1]


def test_thresholds_of_two_classes_stand_beside_every_rule() -> None:
    assert likeliest(2).positive == 1
    rare = balanced(np.array([0.1, 0.9]))
    assert rare.positive == 0
    assert rare.threshold == pytest.approx(0.1)
    assert balanced(np.array([0.1, 0.9]), positive=1).threshold == pytest.approx(0.9)
    assert least_cost(np.ones((2, 2))).threshold == 0.5
    three = balanced(np.array([0.1, 0.2, 0.7]))
    assert (three.positive, three.threshold) == (None, None)


@pytest.mark.parametrize(
    "decision",
    [
        likeliest(3),
        balanced(np.array([0.3, 0.7])),
        at_threshold(0.1 + 0.2, 0, metric="f1"),
        least_cost(np.array([[0, 2.5], [1, 0]])),
    ],
    ids=lambda decision: decision.rule,
)
def test_a_decision_comes_back_from_json_as_it_was(decision: Decision) -> None:
    record = json.loads(json.dumps(decision.as_dict(), allow_nan=False))
    again = from_dict(record)
    assert again.as_dict() == decision.as_dict()
    assert (again.costs == decision.costs).all()


def test_what_is_no_decision_is_refused() -> None:
    with pytest.raises(UsageError, match="a decision cannot be read: KeyError"):
        from_dict({"rule": "likeliest"})
    with pytest.raises(UsageError, match="a decision cannot be read: ValueError"):
        from_dict(likeliest(2).as_dict() | {"threshold": "high"})
    with pytest.raises(UsageError, match="rule of a decision is 'likelyest'"):
        from_dict(likeliest(2).as_dict() | {"rule": "likelyest"})
    with pytest.raises(UsageError, match="the threshold is nan"):
        from_dict(likeliest(2).as_dict() | {"threshold": None})
    with pytest.raises(UsageError, match="the decision is about 3 classes, the predictions about 2"):
        predictions(likeliest(3))


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ([[0.0, 1.0]], r"costs have the shape \(1, 2\)"),
        ([[0.0]], "costs have the shape"),
        ([[0.0, -1.0], [1.0, 0.0]], "a cost is -1"),
        ([[0.0, np.nan], [1.0, 0.0]], "a cost is nan"),
        ([[0.0, 0.0], [0.0, 0.0]], "every cost is 0"),
        ([[0.0, 1.0], [1.0, 2.0]], "true class number 1 the right answer costs 2, another 1"),
    ],
)
def test_costs_that_cannot_be_meant_are_refused(costs: list[list[float]], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        least_cost(np.array(costs))


def test_thresholds_and_shares_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(UsageError, match=r"the threshold is 1\.5"):
        at_threshold(1.5, 1)
    with pytest.raises(UsageError, match="positive class is number 2"):
        at_threshold(0.5, 2)
    with pytest.raises(UsageError, match="positive class is number 2"):
        likeliest(2, positive=2)
    with pytest.raises(UsageError, match="a threshold is set for 3 classes"):
        likeliest(3, positive=1)
    with pytest.raises(UsageError, match="shares of the classes"):
        balanced(np.array([1.0, 0.0]))


def test_words_say_what_is_decided() -> None:
    assert in_words(likeliest(2), CLASSES) == "the class with the largest probability"
    assert in_words(at_threshold(0.25, 0), CLASSES) == "sick where its probability is at least 0.25, else well"
    assert in_words(balanced(np.array([0.2, 0.8])), CLASSES) == (
        "the class whose probability is largest relative to its share of train: "
        "sick where its probability is at least 0.2, else well"
    )
    assert in_words(least_cost(1 - np.eye(3)), ("a", "b", "c")) == "the class with the least expected cost"
