import json

import numpy as np
import pytest

from heldout.measuring.calibration import ece_null_band, expected_calibration_error
from heldout.measuring.decisions import at_threshold
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import average_precision
from heldout.measuring.scores import negative_log_likelihood
from heldout.measuring.summary import positive_class, summarise

NAMES = ["accuracy", "balanced_accuracy", "macro_f1", "negative_log_likelihood", "brier"]
IMBALANCED = [
    "balanced_accuracy",
    "macro_f1",
    "average_precision",
    "mcc",
    "accuracy",
    "negative_log_likelihood",
    "brier",
]


def predictions_with(counts: list[int], seed: int = 0) -> Predictions:
    """Some right and some wrong answers on so many examples of each class."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    logits = generator.normal(size=(len(labels), len(counts))).astype(np.float32)
    logits[np.arange(len(labels)), labels] += 2
    ids = tuple(f"{position}.jpg" for position in range(len(labels)))
    return Predictions(ids, labels, logits, tuple("abcdef"[: len(counts)]))


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("counts", "names"),
    [([30, 10], NAMES), ([31, 10], IMBALANCED), ([30, 0, 10], NAMES), ([31, 0, 10], IMBALANCED)],
)
def test_other_scores_lead_where_class_sizes_differ_more_than_threefold(counts: list[int], names: list[str]) -> None:
    summary = summarise(predictions_with(counts), temperature=1.0, generator=generator())
    assert [score.name for score in summary.scores] == names


def test_average_precision_is_of_the_rarer_class_with_its_prevalence_beside() -> None:
    predictions = predictions_with([10, 40])
    summary = summarise(predictions, temperature=2.0, generator=generator())
    cooled = predictions.with_temperature(2.0).probabilities[:, 0]
    assert summary.scores[2] == average_precision(cooled, predictions.labels == 0)
    assert summary.as_dict()["average_precision_baseline"] == 0.2
    other = predictions.with_decision(at_threshold(0.3, positive=1))
    assert summarise(other, temperature=2.0, generator=generator()).average_precision_baseline == 0.8
    three = summarise(predictions_with([40, 10, 12, 0]), temperature=1.0, generator=generator())
    assert three.average_precision_baseline == pytest.approx(1 / 3)


def test_of_equally_frequent_classes_the_last_is_the_positive() -> None:
    assert positive_class(predictions_with([5, 5])) == 1
    assert positive_class(predictions_with([4, 5])) == 0
    assert positive_class(predictions_with([5, 4])) == 1


def test_a_decision_changes_answers_and_no_score_of_probabilities() -> None:
    predictions = predictions_with([60, 15])
    plain = summarise(predictions, temperature=1.0, generator=generator())
    decided = summarise(predictions.with_decision(at_threshold(0.8, 1)), temperature=1.0, generator=generator())
    by_name = [{score.name: score for score in each.scores} for each in (plain, decided)]
    for name in ("average_precision", "negative_log_likelihood", "brier"):
        assert by_name[0][name] == by_name[1][name]
    assert decided.per_class[1].recall.value < plain.per_class[1].recall.value
    assert decided.confusion != plain.confusion
    assert sum(bin.n for bin in decided.reliability) == 75


def test_groups_widen_what_leads_where_classes_are_unlike() -> None:
    predictions, groups = predictions_with([80, 20]), np.arange(100) // 5
    plain, grouped = (
        summarise(predictions, temperature=1.0, generator=generator(), groups=each) for each in (None, groups)
    )
    for alone, together in zip(plain.scores[:5], grouped.scores[:5], strict=True):
        assert together.value == alone.value
        assert together.high - together.low > alone.high - alone.low


def test_the_dictionary_is_strict_json_with_the_keys_of_the_run_folder() -> None:
    summary = summarise(predictions_with([12, 0, 9]), temperature=1.3, generator=generator())
    read = json.loads(json.dumps(summary.as_dict(), allow_nan=False))
    assert list(read) == [
        "n",
        "scores",
        "per_class",
        "confusion",
        "reliability",
        "ece",
        "ece_null",
        "temperature",
    ]
    assert read["n"] == 21
    assert read["temperature"] == 1.3
    assert list(read["scores"][0]) == ["name", "value", "low", "high", "n", "method"]
    assert list(read["per_class"][0]) == ["name", "n", "recall", "precision", "f1"]
    assert list(read["reliability"][0]) == [
        "low",
        "high",
        "n",
        "mean_confidence",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
    ]
    assert read["per_class"][1]["f1"] is None
    assert sum(map(sum, read["confusion"])) == sum(bin["n"] for bin in read["reliability"]) == 21
    assert read["ece_null"][0] <= read["ece_null"][1]


def test_probabilities_are_read_at_the_temperature_given_and_answers_are_not() -> None:
    predictions = predictions_with([40, 40])
    plain = summarise(predictions, temperature=1.0, generator=generator())
    softened = summarise(predictions, temperature=3.0, generator=generator())
    calibrated = predictions.with_temperature(3.0)
    assert softened.scores[3] == negative_log_likelihood(calibrated) != plain.scores[3]
    assert softened.ece == expected_calibration_error(calibrated) != plain.ece
    assert softened.scores[:3] == plain.scores[:3]
    assert softened.confusion == plain.confusion


def test_a_temperature_already_set_is_not_applied_a_second_time() -> None:
    predictions = predictions_with([40, 40])
    once = summarise(predictions, temperature=3.0, generator=generator())
    again = summarise(predictions.with_temperature(3.0), temperature=3.0, generator=generator())
    assert once == again


def test_every_score_has_an_interval_around_it_and_its_n() -> None:
    summary = summarise(predictions_with([25, 25, 25]), temperature=1.0, generator=generator())
    for score in summary.scores:
        assert score.low < score.value < score.high
        assert score.n == 75
        assert "95%" in score.method


def test_the_null_band_is_that_of_calibration() -> None:
    predictions = predictions_with([40, 40])
    low, high = summarise(predictions, temperature=1.0, generator=generator()).ece_null
    assert (low, high) == pytest.approx(ece_null_band(predictions, generator=generator()), rel=0.2)
