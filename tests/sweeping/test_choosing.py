"""Results -> ranking, recommendation, Findings: what the data cannot tell is said, and nothing flatters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from heldout.sweeping.advising import find_doubts, recommend
from heldout.sweeping.choosing import Judgement, compare_regimes, judge, standing_record
from heldout.sweeping.ledger import TrialResult
from heldout.sweeping.measure import JudgedOn, Measure
from heldout.sweeping.space import Setting

N_VALIDATION, N_TRAIN = 200, 800
ACCURACY = Measure("accuracy")
FROZEN, LOW, MIDDLE, HIGH = (
    Setting("frozen", "resnet18", None, None),
    *(Setting("full", "resnet18", rate, 32) for rate in (0.001, 0.01, 0.1)),
)


def trial(
    setting: Setting, seed: int, accuracy: float | None, *, seconds: float = 10.0, **changes: object
) -> TrialResult:
    """One whose first so many answers are right; None for one that diverged."""
    correct = np.arange(N_VALIDATION) < round((accuracy or 0) * N_VALIDATION)
    values: dict[str, object] = {
        "key": f"{setting}{seed}",
        "setting": setting,
        "seed": seed,
        "outcome": "diverged" if accuracy is None else "finished",
        "initial": f"start of {setting.regime} {setting.learning_rate is None} {seed}",
        "final": f"end of {setting} {seed}",
        "n_train": N_TRAIN,
        "n_validation": N_VALIDATION,
        "n_correct": int(correct.sum()),
        "score": None if accuracy is None else float(correct.mean()),
        "best_epoch": 0 if setting.learning_rate is None else 2,
        "n_epochs": 0 if setting.learning_rate is None else 3,
        "correct": np.packbits(correct).tobytes(),
        "n_parameters": 11,
        "seconds": seconds,
    }
    return TrialResult(**(values | changes))  # type: ignore[arg-type]


def judged(
    scores: Mapping[Setting, Sequence[float | None]], seconds: Mapping[Setting, float] | None = None
) -> tuple[Judgement, list[TrialResult]]:
    results = [
        trial(setting, seed, score, seconds=(seconds or {}).get(setting, 10.0))
        for setting, own in scores.items()
        for seed, score in enumerate(own)
    ]
    return ruled(list(scores), results, max(map(len, scores.values()))), results


def ruled(settings: list[Setting], results: list[TrialResult], n_seeds: int, measure: Measure = ACCURACY) -> Judgement:
    parts = [JudgedOn(np.arange(N_VALIDATION) % 2, np.arange(N_VALIDATION))] * n_seeds
    return judge(
        settings, results, measure=measure, n_seeds=n_seeds, judged_on=parts, generator=np.random.default_rng(0)
    )


def codes(judgement: Judgement, results: list[TrialResult], n_seeds: int = 5) -> dict[str, str]:
    return {one.code: one.severity for one in find_doubts(judgement, results, n_seeds=n_seeds)}


CLEAR = {FROZEN: (0.80, 0.81, 0.80, 0.79, 0.80), MIDDLE: (0.95, 0.96, 0.95, 0.94, 0.95)}


def test_a_clear_winner_is_recommended_with_what_it_costs() -> None:
    judgement, results = judged(CLEAR, {FROZEN: 1.0, MIDDLE: 14.0})
    advice = recommend(judgement)
    assert advice is not None
    assert (advice.name, advice.text) == ("full, learning rate 0.01", "Take full, learning rate 0.01.")
    assert any("beats frozen, fitted: +15.0 points" in one and "14 times the time" in one for one in advice.evidence)
    assert "winner-within-the-noise" not in codes(judgement, results)
    assert [(one.rank, one.tied_with_best) for one in judgement.standings] == [(1, False), (2, False)]


def test_a_cheaper_setting_that_the_data_cannot_tell_apart_is_named() -> None:
    scores = {FROZEN: (0.94, 0.96, 0.93, 0.97, 0.94), MIDDLE: (0.96, 0.94, 0.95, 0.95, 0.95)}
    judgement, results = judged(scores, {FROZEN: 1.0, MIDDLE: 14.0})
    advice = recommend(judgement)
    assert advice is not None
    assert advice.name == "full, learning rate 0.01"
    assert "cannot tell it from frozen, fitted, which takes 1/14 of the time" in advice.text
    assert codes(judgement, results)["winner-within-the-noise"] == "note"


def test_the_best_of_many_is_expected_to_look_too_good() -> None:
    generator = np.random.default_rng(0)
    settings = [Setting("full", "resnet18", 0.001 * number, 32) for number in range(1, 21)]
    results = []
    for setting in settings:
        correct = generator.random(N_VALIDATION) < 0.9
        score, bits = float(correct.mean()), np.packbits(correct).tobytes()
        results.append(trial(setting, 0, 0.9, correct=bits, n_correct=int(correct.sum()), score=score))
    judgement = ruled(settings, results, 1)
    assert judgement.optimism is not None
    assert 0.02 < judgement.optimism.value < 0.06
    assert codes(judgement, results, 1)["few-seeds"] == "warning"


def test_a_setting_of_which_one_trial_diverged_is_not_ranked_by_the_others() -> None:
    judgement, results = judged({MIDDLE: CLEAR[MIDDLE], HIGH: (0.99, 0.99, None, 0.99, 0.99)})
    assert judgement.best is not None
    assert judgement.best.setting == MIDDLE
    last = standing_record(judgement.standings[-1], judgement)
    assert (last["rank"], last["n_diverged"], last["scores"][2]) == (None, 1, None)
    assert last["mean"] == pytest.approx(0.99)
    assert codes(judgement, results)["trials-diverged"] == "note"


def test_where_nothing_has_a_score_nothing_is_recommended() -> None:
    judgement, results = judged({LOW: (None,) * 5, HIGH: (None,) * 5})
    assert judgement.best is None
    assert recommend(judgement) is None
    assert judgement.optimism is None
    assert codes(judgement, results)["nothing-to-choose"] == "error"
    assert compare_regimes(judgement) == []
    assert standing_record(judgement.standings[0], judgement)["mean"] is None


def test_a_winner_at_the_edge_of_its_regimes_rates_is_told() -> None:
    rising = {LOW: (0.8,) * 5, MIDDLE: (0.85,) * 5, HIGH: (0.95,) * 5}
    judgement, results = judged(rising)
    assert codes(judgement, results)["winner-at-the-edge"] == "warning"
    judgement, results = judged({LOW: (0.8,) * 5, MIDDLE: (0.95,) * 5, HIGH: (0.85,) * 5})
    assert "winner-at-the-edge" not in codes(judgement, results)
    judgement, results = judged({FROZEN: (0.9,) * 5, MIDDLE: (0.95,) * 5})
    assert "winner-at-the-edge" not in codes(judgement, results), "one rate alone has no edge"


def test_equal_weights_of_trials_that_ought_to_differ_are_an_error() -> None:
    results = [trial(one, seed, 0.9, final="the same") for one in (LOW, HIGH) for seed in range(5)]
    judgement = ruled([LOW, HIGH], results, 5)
    assert codes(judgement, results)["equal-weights"] == "error"
    kept = [trial(one, 0, 0.9, final="the head's", best_epoch=0) for one in (LOW, HIGH)]
    found = codes(ruled([LOW, HIGH], kept, 1), kept, 1)
    assert "equal-weights" not in found
    assert (found["equal-starts-kept"], found["trained-in-vain"]) == ("note", "warning")
    sizes = [trial(replace(LOW, batch_size=size), 0, 0.9, final="the same") for size in (32, 40)]
    assert "equal-batches" in codes(ruled([one.setting for one in sizes], sizes, 1), sizes, 1)
    good, fine = judged(CLEAR)
    assert "equal-weights" not in codes(good, fine)


def test_different_starts_of_trials_that_ought_to_agree_are_an_error() -> None:
    results = [trial(LOW, 0, 0.9), trial(HIGH, 0, 0.9, initial="another")]
    assert codes(ruled([LOW, HIGH], results, 1), results, 1)["unequal-starts"] == "error"
    others = [trial(FROZEN, 0, 0.9, initial="zeros"), trial(HIGH, 0, 0.9)]
    assert "unequal-starts" not in codes(ruled([FROZEN, HIGH], others, 1), others, 1)


def test_equal_starts_of_different_seeds_are_an_error() -> None:
    results = [trial(HIGH, seed, 0.9, initial="one for all") for seed in (0, 1)]
    assert codes(ruled([HIGH], results, 2), results, 2)["equal-starts"] == "error"


def test_with_classes_of_one_size_the_optimism_of_balanced_accuracy_is_that_of_accuracy() -> None:
    generator = np.random.default_rng(0)
    results = [one_with(setting, seed, generator.random(N_VALIDATION) < 0.9) for setting in SAME for seed in range(3)]
    by_accuracy = ruled(list(SAME), results, 3).optimism
    balanced = ruled(list(SAME), results, 3, Measure("balanced_accuracy")).optimism
    assert by_accuracy is not None
    assert balanced is not None
    assert 0.005 < by_accuracy.value < 0.02
    assert balanced.value == pytest.approx(by_accuracy.value, rel=0.05)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_where_every_mistake_costs_the_same_the_optimism_is_that_of_accuracy_times_the_cost(n_classes: int) -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(N_VALIDATION) % 2
    results = []
    for setting in SAME:
        correct = generator.random(N_VALIDATION) < 0.9
        answered = np.where(correct, labels, (labels + 1) % n_classes).astype("<i2").tobytes()
        results.append(one_with(setting, 0, correct, answered=answered))
    costs = 4.0 * (1 - np.eye(n_classes))
    measure = Measure("mean_cost", 4.0, tuple(tuple(row) for row in costs.tolist()))
    of_accuracy, of_cost = ruled(list(SAME), results, 1).optimism, ruled(list(SAME), results, 1, measure).optimism
    assert of_accuracy is not None
    assert of_cost is not None
    assert of_cost.value == pytest.approx(4 * of_accuracy.value, rel=1e-4)


def test_without_the_answers_that_an_older_version_did_not_keep_the_optimism_of_costs_is_not_told() -> None:
    results = [one_with(setting, 0, np.arange(N_VALIDATION) < 150) for setting in SAME]
    measure = Measure("mean_cost", 1.0, ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)))
    judgement = ruled(list(SAME), results, 1, measure)
    assert judgement.best is not None
    assert judgement.optimism is None


SAME = (FROZEN, LOW, MIDDLE, HIGH)


def one_with(setting: Setting, seed: int, correct: np.ndarray, *, answered: bytes = b"") -> TrialResult:
    """A trial with these answers."""
    return trial(
        setting, seed, 0.0, score=float(correct.mean()), correct=np.packbits(correct).tobytes(), answered=answered
    )


def paid(
    scores: Mapping[Setting, Sequence[float | None]], highest: float, seconds: Mapping[Setting, float] | None = None
) -> Judgement:
    """The same scores as costs: of each answer that is wrong the highest."""
    results = [
        replace(one, score=None if one.score is None else highest * (1 - one.score))
        for one in judged(scores, seconds)[1]
    ]
    return ruled(list(scores), results, 5, Measure("mean_cost", highest, ((0.0, highest), (highest, 0.0))))


@pytest.mark.parametrize("highest", [1.0, 20.0])
def test_where_every_mistake_costs_the_same_costs_rank_as_shares_do(highest: float) -> None:
    generator = np.random.default_rng(1)
    settings = (FROZEN, LOW, MIDDLE, HIGH)
    tops = (0.80, 0.86, 0.87, 0.88)
    scores = {one: (top + generator.normal(0, 0.02, 5)).tolist() for one, top in zip(settings, tops, strict=True)}
    by_share, by_cost = judged(scores)[0], paid(scores, highest)
    for one, other in zip(by_share.standings, by_cost.standings, strict=True):
        assert (one.setting, one.rank, one.tied_with_best) == (other.setting, other.rank, other.tied_with_best)
        assert one.p_better == other.p_better
        a, b = standing_record(one, by_share), standing_record(other, by_cost)
        assert [b["mean"], b["low"], b["high"]] == pytest.approx(
            [highest * (1 - a["mean"]), highest * (1 - a["high"]), highest * (1 - a["low"])]
        )
        if one.versus_best and other.versus_best:
            assert other.versus_best.p == pytest.approx(one.versus_best.p)
            assert other.versus_best.value == pytest.approx(highest * one.versus_best.value)
            assert other.versus_best.value >= 0, "what the best saves"


def test_the_lowest_cost_wins_and_is_told_as_saved() -> None:
    judgement = paid(CLEAR, 10.0, {FROZEN: 1.0, MIDDLE: 14.0})
    assert judgement.best is not None
    assert judgement.best.setting == MIDDLE
    assert standing_record(judgement.standings[0], judgement)["mean"] == pytest.approx(0.5)
    advice = recommend(judgement)
    assert advice is not None
    assert any("beats frozen, fitted: saves 1.5 an answer [" in one for one in advice.evidence)
    assert not any("points" in one for one in advice.evidence)
    assert "expected to look" in advice.evidence[-1]
    assert "cheaper on validation than it is" in advice.evidence[-1]


def test_a_setting_without_every_score_is_not_the_cheapest() -> None:
    judgement = paid({MIDDLE: CLEAR[MIDDLE], HIGH: (0.99, 0.99, None, 0.99, 0.99)}, 10.0)
    assert judgement.best is not None
    assert judgement.best.setting == MIDDLE
    assert standing_record(judgement.standings[-1], judgement)["mean"] == pytest.approx(0.1)


def test_failed_trials_are_told_with_the_first_reason() -> None:
    results = [*judged(CLEAR)[1], TrialResult(key="f", setting=HIGH, seed=0, outcome="failed", why="memory ran out")]
    judgement = ruled([FROZEN, MIDDLE, HIGH], results, 5)
    told = next(one for one in find_doubts(judgement, results, n_seeds=5) if one.code == "trials-failed")
    assert "memory ran out" in told.what
    assert told.where == ("full, learning rate 0.1",)


def test_fewer_seeds_than_five_are_told() -> None:
    judgement, results = judged({one: scores[:2] for one, scores in CLEAR.items()})
    assert codes(judgement, results, 2)["few-seeds"] == "note"
    assert "few-seeds" not in codes(*judged(CLEAR))
