"""What a sweep ranks by: costs where they are stated, the lowest first, wherever trials are weighed."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from heldout.measuring.decisions import least_cost
from heldout.measuring.mean_costs import mean_cost
from heldout.measuring.predictions import Predictions
from heldout.measuring.selection import expected_optimism
from heldout.plan_sections import DecisionPlan
from heldout.sweeping.ledger import TrialResult
from heldout.sweeping.measure import JudgedOn, Measure, measure_of
from heldout.sweeping.space import Setting
from heldout.sweeping.sweep import _rungs
from heldout.sweeping.trials import score_of

CLASSES = ("no", "yes")


@pytest.mark.parametrize(
    ("costs", "is_imbalanced", "wanted"),
    [
        ("", False, Measure("accuracy")),
        ("", True, Measure("balanced_accuracy")),
        ("yes:no=7", True, Measure("mean_cost", 7.0, ((0.0, 1.0), (7.0, 0.0)))),
        ("yes:no=0.5,no:yes=0.25", False, Measure("mean_cost", 0.5, ((0.0, 0.25), (0.5, 0.0)))),
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


def test_what_choosing_added_is_taken_off_a_share_and_added_to_a_cost() -> None:
    assert Measure("accuracy").less_optimism(0.9, 0.02) == pytest.approx(0.88)
    assert Measure("mean_cost", 5.0).less_optimism(0.4, 0.1) == pytest.approx(0.5)
    assert Measure("mean_cost", 5.0).less_optimism(4.99, 0.1) == 5.0


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


# --- optimism: sweeps of settings that are all equally good in truth, so what the best looks better by is known ---

SETTING = Setting("full", "resnet18", 0.01, 32)
COSTS = ((0.0, 1.0, 2.0), (10.0, 0.0, 1.0), (5.0, 5.0, 0.0))
BALANCED, COST = Measure("balanced_accuracy"), Measure("mean_cost", 10.0, COSTS)
SHARES = np.array([0.8, 0.15, 0.05])
# How often an example of a class (row) gets an answer (column).
ANSWERS = np.array([[0.9, 0.08, 0.02], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]])


def drawn(n_settings: int, n: int, alike: float, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and answers of equally good settings that copy one another's with probability `alike`."""
    labels = generator.choice(3, n, p=SHARES)
    tops = ANSWERS.cumsum(axis=1)[labels]
    common = (generator.random(n)[:, None] > tops).sum(axis=1)
    own = (generator.random((n_settings, n))[:, :, None] > tops).sum(axis=2)
    return labels, np.where(generator.random((n_settings, n)) < alike, common, own)


def told(measure: Measure, labels: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """The gains of such settings, as a sweep takes them from its ledger."""
    results = [
        TrialResult(
            key="",
            setting=SETTING,
            seed=0,
            outcome="finished",
            n_validation=len(labels),
            correct=np.packbits(row == labels).tobytes(),
            answered=row.astype("<i2").tobytes(),
        )
        for row in answered
    ]
    return measure.gains(results, JudgedOn(labels, np.arange(len(labels))))


def balanced(labels: np.ndarray, answered: np.ndarray) -> np.ndarray:
    recalls = [(answered[:, labels == label] == label).mean(axis=1) for label in range(3) if (labels == label).any()]
    return np.asarray(np.mean(recalls, axis=0))


def saved(labels: np.ndarray, answered: np.ndarray) -> np.ndarray:
    return np.asarray(1 - np.array(COSTS)[labels, answered].mean(axis=1) / 10)


SCORES: dict[Measure, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {BALANCED: balanced, COST: saved}
WORTH = {BALANCED: ANSWERS.diagonal().mean(), COST: 1 - (SHARES[:, None] * ANSWERS * COSTS).sum() / 10}


@pytest.mark.parametrize("measure", [BALANCED, COST])
def test_the_mean_gain_is_the_score(measure: Measure) -> None:
    labels, answered = drawn(4, 200, 0.5, np.random.default_rng(0))
    gains = told(measure, labels, answered)
    assert gains.mean(axis=1, dtype=float) == pytest.approx(SCORES[measure](labels, answered), abs=1e-6)


def true_optimism(measure: Measure, n_settings: int, n: int, alike: float, n_seeds: int) -> float:
    generator = np.random.default_rng(1)
    best = [
        np.mean([SCORES[measure](*drawn(n_settings, n, alike, generator)) for _ in range(n_seeds)], axis=0).max()
        for _ in range(800)
    ]
    return float(np.mean(best) - WORTH[measure])


def mean_told(measure: Measure, n_settings: int, n: int, alike: float, n_seeds: int, n_sweeps: int) -> float:
    generator = np.random.default_rng(2)
    found = []
    for _ in range(n_sweeps):
        gains = [told(measure, *drawn(n_settings, n, alike, generator)) for _ in range(n_seeds)]
        found.append(expected_optimism(gains, generator=generator).value)
    return float(np.mean(found))


@pytest.mark.slow
@pytest.mark.parametrize("measure", [BALANCED, COST])
@pytest.mark.parametrize(
    ("n_settings", "n", "alike", "n_seeds"), [(10, 400, 0.0, 1), (10, 400, 0.8, 1), (20, 200, 0.5, 3), (4, 300, 0.0, 2)]
)
def test_the_optimism_is_near_the_true_one(
    measure: Measure, n_settings: int, n: int, alike: float, n_seeds: int
) -> None:
    truth = true_optimism(measure, n_settings, n, alike, n_seeds)
    assert truth > 0.002
    assert mean_told(measure, n_settings, n, alike, n_seeds, 60) == pytest.approx(truth, rel=0.15)


def test_a_rare_class_makes_more_optimism_than_accuracy_would_tell() -> None:
    labels, answered = drawn(10, 400, 0.0, np.random.default_rng(3))
    of_balanced, of_accuracy = (
        expected_optimism([told(measure, labels, answered)], generator=np.random.default_rng(0)).value
        for measure in (BALANCED, Measure("accuracy"))
    )
    assert of_balanced > 1.5 * of_accuracy


def test_settings_that_never_differ_have_no_optimism() -> None:
    labels, answered = drawn(5, 100, 1.0, np.random.default_rng(0))
    for measure in (BALANCED, COST):
        gains = told(measure, labels, answered)
        assert expected_optimism([gains] * 2, generator=np.random.default_rng(0)).value == pytest.approx(0, abs=1e-7)
