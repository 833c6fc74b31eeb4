"""How a class is decided on: stated in the plan or chosen on validation, and refused early where it cannot be."""

from typing import Any

import numpy as np
import pytest

from heldout.deciding import check_decision, decide, positive_of, stated
from heldout.errors import UsageError
from heldout.measuring.predictions import Predictions
from heldout.plan import Plan, make_plan
from heldout.plan_sections import DecisionPlan

COUNTS = np.array([80, 20])
CLASSES = ("no", "yes")


def a_plan(**settings: Any) -> Plan:
    return make_plan({"data.path": "rows.csv", "data.target": "kind", **settings})


def some_predictions() -> Predictions:
    """The rarer class has 10 to 30 % where it is, and less where it is not."""
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [160, 40])
    yes = np.where(labels == 1, generator.uniform(0.2, 0.4, 200), generator.uniform(0.01, 0.25, 200))
    logits = np.log(np.stack([1 - yes, yes], axis=1))
    return Predictions(tuple(map(str, range(200))), labels, logits, CLASSES)


@pytest.mark.parametrize("imbalance", ["none", "focal"])
def test_without_balancing_the_likeliest_class_is_answered(imbalance: str) -> None:
    settings = {"imbalance": imbalance, "model.name": "mlp"}
    assert decide(a_plan(**settings), some_predictions(), COUNTS) == (None, None)


@pytest.mark.parametrize("imbalance", ["weights", "balanced-batch"])
def test_after_balancing_the_prior_decides(imbalance: str) -> None:
    decision, curve = decide(a_plan(imbalance=imbalance), some_predictions(), COUNTS)
    assert decision is not None
    assert curve is None
    assert (decision.rule, decision.positive) == ("balanced", 1)
    assert decision.threshold == pytest.approx(0.2)
    likeliest, _ = decide(
        a_plan(imbalance=imbalance, **{"decision.threshold": "likeliest"}), some_predictions(), COUNTS
    )
    assert likeliest is None


def test_a_threshold_is_chosen_on_validation() -> None:
    predictions = some_predictions()
    decision, curve = decide(a_plan(**{"decision.threshold": "f1"}), predictions, COUNTS)
    assert decision is not None
    assert curve is not None
    assert decision.threshold is not None
    assert 0.2 < decision.threshold < 0.26
    assert (decision.metric, curve.chosen) == ("f1", decision.threshold)
    assert predictions.with_decision(decision).correct.mean() > predictions.correct.mean()


def test_costs_and_numbers_are_taken_as_they_are() -> None:
    predictions = some_predictions()
    by_costs, _ = decide(a_plan(**{"decision.costs": "yes:no=9"}), predictions, COUNTS)
    by_number, _ = decide(a_plan(**{"decision.threshold": 0.1}), predictions, COUNTS)
    assert by_costs is not None
    assert by_number is not None
    assert by_costs.threshold == pytest.approx(0.1)
    logs = predictions.log_probabilities
    assert np.array_equal(by_costs.decide(logs), by_number.decide(logs))


def test_the_positive_class_is_the_named_or_the_rarer_one() -> None:
    assert positive_of(DecisionPlan(), CLASSES, COUNTS) == 1
    assert positive_of(DecisionPlan(), CLASSES, COUNTS[::-1]) == 0
    assert positive_of(DecisionPlan(), CLASSES, np.array([50, 50])) == 1
    assert positive_of(DecisionPlan(positive="no"), CLASSES, COUNTS) == 0


@pytest.mark.parametrize(
    ("decision", "classes", "words"),
    [
        (DecisionPlan(positive="yess"), CLASSES, 'did you mean "yes"'),
        (DecisionPlan(threshold="0.3"), ("a", "b", "c"), "threshold 0.3, and the data has 3 classes"),
        (DecisionPlan(positive_weight=4), ("a", "b", "c"), "a positive_weight"),
        (DecisionPlan(costs="yes:maybe=3"), CLASSES, "maybe"),
    ],
)
def test_what_cannot_be_decided_is_refused_before_training(
    decision: DecisionPlan, classes: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check_decision(decision, classes)


def test_many_classes_can_be_balanced_too() -> None:
    decision = stated("balanced", "none", np.array([90, 9, 1]))
    assert decision is not None
    assert decision.decide(np.log([[0.8, 0.15, 0.05]])).tolist() == [2]
