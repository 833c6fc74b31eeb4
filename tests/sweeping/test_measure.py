"""What a sweep ranks by: costs where they are stated, the lowest first, wherever trials are weighed."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from heldout.measuring.decisions import least_cost
from heldout.measuring.mean_costs import mean_cost
from heldout.measuring.predictions import Predictions
from heldout.plan_sections import DecisionPlan
from heldout.sweeping.ledger import TrialResult
from heldout.sweeping.measure import Measure, measure_of
from heldout.sweeping.space import Setting
from heldout.sweeping.sweep import _rungs
from heldout.sweeping.trials import score_of

CLASSES = ("no", "yes")


@pytest.mark.parametrize(
    ("costs", "is_imbalanced", "wanted"),
    [
        ("", False, Measure("accuracy")),
        ("", True, Measure("balanced_accuracy")),
        ("yes:no=7", True, Measure("mean_cost", 7.0)),
        ("yes:no=0.5,no:yes=0.25", False, Measure("mean_cost", 0.5)),
    ],
)
def test_stated_costs_rank_whatever_the_classes_are(costs: str, is_imbalanced: bool, wanted: Measure) -> None:
    assert measure_of(DecisionPlan(costs=costs), CLASSES, is_imbalanced=is_imbalanced) == wanted


def test_the_score_of_a_trial_is_the_mean_cost_that_a_run_reports() -> None:
    generator = np.random.default_rng(0)
    costs = np.array([[0.0, 1.0], [7.0, 0.0]])
    logits, labels = generator.normal(size=(50, 2)), generator.integers(0, 2, 50)
    predictions = Predictions(tuple(map(str, range(50))), labels, logits, CLASSES, decision=least_cost(costs))
    assert score_of(predictions, "mean_cost") == pytest.approx(mean_cost(predictions, costs).value)
    assert score_of(predictions, "mean_cost") > 0


def test_a_mean_over_folds_is_cut_to_what_a_cost_can_be() -> None:
    found = Measure("mean_cost", 4.0).mean(np.array([0.0, 0.1, 0.2]), n_train=80, n_validation=20)
    assert found.value == pytest.approx(0.1)
    assert found.low == 0.0
    assert 0.1 < found.high < 4
    alone = Measure("mean_cost", 4.0).mean(np.array([1.0]), n_train=80, n_validation=20)
    assert (alone.low, alone.high) == (0.0, 4.0)


@pytest.mark.parametrize(
    ("measure", "kept"), [(Measure("mean_cost", 5.0), [0.01, 0.1]), (Measure("accuracy"), [1.0, 10.0])]
)
def test_halving_keeps_the_better_half(measure: Measure, kept: list[float]) -> None:
    settings = [Setting("full", "resnet18", rate, 32) for rate in (0.01, 0.1, 1.0, 10.0)]
    orders: list[Any] = [
        SimpleNamespace(setting=one, seed=seed, key=f"{one} {seed}") for seed in range(2) for one in settings
    ]
    scores = dict(zip(settings, (0.1, 0.2, 0.3, 0.4), strict=True))
    done: dict[str, TrialResult] = {}
    plan: Any = SimpleNamespace(halving=True, plans=dict.fromkeys(settings), n_seeds=2)
    seen = []
    for rung in _rungs(plan, orders, done, measure):
        seen.append([one.setting.learning_rate for one in rung])
        for one in rung:
            score = scores[one.setting]
            done[one.key] = TrialResult(
                key=one.key, setting=one.setting, seed=one.seed, outcome="finished", score=score
            )
    assert seen == [[0.01, 0.1, 1.0, 10.0], kept]
